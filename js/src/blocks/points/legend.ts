/** The legend: a switch per group, and what colours, sizes and marks mean. Tells what was switched; draws no points. */

import type { Theme } from "../../kernel/color.ts";
import { type Controls, makeControls } from "../../kernel/controls.ts";
import { make, setHidden, setText } from "../../kernel/dom.ts";
import { formatCount } from "../../kernel/format.ts";
import type { OptionHeader, OptionValue } from "../../kernel/header.ts";
import type { Panel } from "../../kernel/panel.ts";
import { type ClassEntry, alone, freshSwitches } from "./cloud.ts";
import { type Counts, EXAMPLE_CLASS, KINDS, keyWords } from "./key.ts";
import type { Looks } from "./looks.ts";
import { makeColorKey, makeSizeKey } from "./scales.ts";

/** Options that stand here, beside what explains them, and not in the head. */
export const LEGEND_OPTIONS: readonly string[] = ["size", "trails"];

function makeRow() {
  const [swatch, name] = [make("span", "nnw-points-swatch"), make("span", "nnw-points-legend-name nnw-cut")];
  const [n, wrong] = [make("span", "nnw-points-number"), make("span", "nnw-points-number")];
  const button = make("button", "nnw-points-legend-row nnw-link", swatch, name, n, wrong);
  button.role = "switch";
  return { button, swatch, name, n, wrong };
}

type Row = ReturnType<typeof makeRow>;

export class Legend {
  readonly element = make("div", "nnw-points-legend");
  on: boolean[] = [];
  onlyWrong = false;
  #rows: Row[] = [];
  #builtFor = "";
  readonly #list = make("div", "nnw-points-legend-rows");
  readonly #onlyWrongButton = make("button", "nnw-points-link nnw-link", "Only wrong");
  readonly #subject = make("span");
  readonly #head: HTMLElement;
  readonly #links: HTMLElement;
  readonly #options: readonly { name: string; controls: Controls }[];
  readonly #bar = makeColorKey();
  readonly #sizes = makeSizeKey();
  readonly #keys = KINDS.map((kind) => ({ kind, ...key(kind) }));
  readonly #listen: Panel["listen"];
  readonly #switched: () => void;

  constructor(listen: Panel["listen"], switched: () => void, change: (name: string, value: OptionValue) => void) {
    this.#options = LEGEND_OPTIONS.map((name) => ({ name, controls: makeControls(change) }));
    const [size, ...others] = this.#options.map(({ controls: { element } }) => {
      element.className = "nnw-points-legend-option";
      return element;
    });
    this.#listen = listen;
    this.#switched = switched;
    const columns = ["n", "wrong"].map((name) => make("span", "", name));
    this.#head = make("div", "nnw-points-legend-head", this.#subject, ...columns);
    const showAll = make("button", "nnw-points-link nnw-link", "Show all");
    this.#links = make("div", "nnw-points-legend-links", showAll, this.#onlyWrongButton);
    this.#list.role = "group";
    const keys = make("div", "nnw-points-legend-keys", ...this.#keys.map((entry) => entry.row));
    this.element.append(this.#bar.element, this.#head, this.#list, this.#links, keys);
    this.element.append(size ?? "", this.#sizes.element, ...others);
    listen(showAll, "click", () => this.#set(new Array<boolean>(this.on.length).fill(true), false));
    listen(this.#onlyWrongButton, "click", () => this.#set(this.on, !this.onlyWrong));
  }

  update(looks: Looks, counts: Counts, theme: Theme): void {
    const { classes } = looks.grouped;
    this.#build(`${looks.head} ${classes.length}`, classes.length);
    setText(this.#subject, looks.head);
    this.#list.ariaLabel = looks.head;
    classes.forEach((entry, k) => this.#paint(this.#rows[k] as Row, entry, k, looks.color ? null : theme));
    this.#bar.update(looks.color, theme);
    this.#sizes.update(looks.size, theme);
    this.#onlyWrongButton.ariaPressed = String(this.onlyWrong);
    this.element.style.setProperty("--nnw-key", theme.classes[EXAMPLE_CLASS] ?? theme.text2);
    const words = keyWords(looks, counts, this.on, this.onlyWrong);
    for (const { kind, row, text } of this.#keys) {
      setText(text, words[kind]);
      setHidden(row, words[kind] === "");
    }
    for (const part of [this.#head, this.#list, this.#links]) setHidden(part, classes.length === 0);
  }

  /** Shows those of the view's options that stand here. */
  offer(options: readonly OptionHeader[]): void {
    for (const { name, controls } of this.#options) controls.update(options.filter((option) => option.name === name));
  }

  #set(on: boolean[], onlyWrong: boolean): void {
    this.on = on;
    this.onlyWrong = onlyWrong;
    this.#switched();
  }

  /** Fresh switches for other groups; of the same groups they stay as they were left. */
  #build(groups: string, count: number): void {
    if (groups === this.#builtFor) return;
    this.#builtFor = groups;
    this.on = freshSwitches(count);
    this.#rows = Array.from({ length: count }, (_, k) => this.#row(k));
    this.#list.replaceChildren(...this.#rows.map((row) => row.button));
  }

  #row(index: number): Row {
    const row = makeRow();
    const isolate = (): void => this.#set(alone(this.on, index), this.onlyWrong);
    this.#listen(row.button, "click", ({ altKey }) => {
      if (altKey) isolate();
      else this.#set(this.on.map((on, k) => (k === index) !== on), this.onlyWrong);
    });
    // Two clicks came before and undid each other.
    this.#listen(row.button, "dblclick", isolate);
    this.#listen(row.button, "keydown", ({ key, altKey }) => altKey && key === "Enter" && isolate());
    return row;
  }

  /** Without a theme the groups only filter: a scale colours the points. */
  #paint(row: Row, entry: ClassEntry, index: number, theme: Theme | null): void {
    const on = this.on[index] === true;
    row.button.ariaChecked = String(on);
    const words = `${entry.name}: ${formatCount(entry.n)} samples, ${formatCount(entry.wrong)} wrong`;
    row.button.title = `${words}. Click hides or shows it, double click or Alt+Enter shows it alone.`;
    row.button.ariaLabel = words;
    row.swatch.style.setProperty(
      "--nnw-swatch",
      !on ? "transparent" : theme ? (theme.classes[index % theme.classes.length] as string) : "var(--nnw-text2)",
    );
    setText(row.name, entry.name);
    setText(row.n, formatCount(entry.n));
    setText(row.wrong, formatCount(entry.wrong));
  }
}

function key(kind: string): { row: HTMLElement; text: HTMLElement } {
  const text = make("span");
  const row = make("div", "nnw-points-legend-key", make("span", `nnw-points-mark nnw-points-mark-${kind}`), text);
  return { row, text };
}
