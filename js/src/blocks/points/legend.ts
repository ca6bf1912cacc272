/** The legend: a switch per group, and what colours, sizes and marks mean. Tells what was switched; draws no points. */

import { prepareCanvas } from "../../kernel/canvas.ts";
import type { Theme } from "../../kernel/color.ts";
import { makeControls } from "../../kernel/controls.ts";
import { make, setHidden, setText } from "../../kernel/dom.ts";
import { formatCount, formatValue } from "../../kernel/format.ts";
import type { OptionHeader, OptionValue } from "../../kernel/header.ts";
import { makeName } from "../../kernel/name.ts";
import type { Panel } from "../../kernel/panel.ts";
import { placeOf } from "../cursor.ts";
import { type ClassEntry, alone, freshSwitches, picks, slotsOf } from "./cloud.ts";
import { BAR, type Counts, EXAMPLE_CLASS, KINDS, RADIUS, drawRamp, keyWords } from "./key.ts";
import { AREA, type Looks, type Scale, colorName, scaleLut } from "./looks.ts";
import { penOn } from "./picture.ts";

/** Options that stand here, beside what explains them, and not in the head. */
export const LEGEND_OPTIONS: readonly string[] = ["size", "trails"];

export interface Legend {
  element: HTMLElement;
  /** Per group: shown, or with many groups picked. */
  on: readonly boolean[];
  onlyWrong: boolean;
  update(looks: Looks, counts: Counts, theme: Theme): void;
  /** Shows those of the view's options that stand here. */
  offer(options: readonly OptionHeader[]): void;
}

type Row = ReturnType<typeof makeRow>;

function makeRow(place: number) {
  const [swatch, name] = [make("span", "nnw-points-swatch"), makeName("nnw-points-legend-name")];
  const [n, wrong] = [make("span", "nnw-points-number"), make("span", "nnw-points-number")];
  const element = make("button", "nnw-points-legend-row nnw-link", swatch, name.element, n, wrong);
  element.role = "switch";
  element.dataset["place"] = String(place);
  return { element, swatch, name, n, wrong };
}

export function makeLegend(
  listen: Panel["listen"],
  switched: () => void,
  change: (name: string, value: OptionValue) => void,
): Legend {
  const [bar, sizes] = [makeColorKey(), makeSizeKey()];
  const subject = make("span");
  const head = make("div", "nnw-points-legend-head", subject, make("span", "", "n"), make("span", "", "wrong"));
  const pick = make("div", "nnw-points-legend-pick");
  const list = make("div", "nnw-points-legend-rows");
  const showAll = make("button", "nnw-points-link nnw-link", "Show all");
  const onlyWrong = make("button", "nnw-points-link nnw-link", "Only wrong");
  const links = make("div", "nnw-points-legend-links", showAll, onlyWrong);
  const keys = KINDS.map((kind) => {
    const text = make("span");
    const mark = kind === "unringed" ? "" : make("span", `nnw-points-mark nnw-points-mark-${kind}`);
    return { kind, text, row: make("div", "nnw-points-legend-key", mark, text) };
  });
  const options = LEGEND_OPTIONS.map((name) => ({ name, controls: makeControls(change) }));
  const [size, ...others] = options.map(({ controls: { element } }) => {
    element.className = "nnw-points-legend-option";
    return element;
  });
  const marks = make("div", "nnw-points-legend-keys", ...keys.map(({ row }) => row));
  const element = make("div", "nnw-points-legend", bar.element, head, pick, list, links, marks);
  element.append(size!, sizes.element, ...others);
  let rows: Row[] = [];
  let groups = "";
  list.role = "group";

  function set(on: readonly boolean[], wrong: boolean): void {
    [legend.on, legend.onlyWrong] = [on, wrong];
    switched();
  }

  const rowOf = ({ target }: Event): number => placeOf(target as Element) ?? -1;

  function isolate(index: number): void {
    if (index >= 0) set(alone(legend.on, index), legend.onlyWrong);
  }

  /** Fresh switches for other groups; of the same groups they stay as they were left. */
  function regroup(now: string, count: number): void {
    if (now === groups) return;
    groups = now;
    legend.on = freshSwitches(count);
    rows = Array.from({ length: count }, (_, k) => makeRow(k));
    list.replaceChildren(...rows.map((row) => row.element));
  }

  listen(showAll, "click", () => set(freshSwitches(legend.on.length), false));
  listen(onlyWrong, "click", () => set(legend.on, !legend.onlyWrong));
  listen(list, "click", (event) => {
    const index = rowOf(event);
    if (event.altKey) isolate(index);
    else if (index >= 0) set(legend.on.map((on, k) => (k === index) !== on), legend.onlyWrong);
  });
  // Two clicks came before and undid each other.
  listen(list, "dblclick", (event) => isolate(rowOf(event)));
  listen(list, "keydown", (event) => event.altKey && event.key === "Enter" && isolate(rowOf(event)));

  const legend: Legend = {
    element,
    on: [],
    onlyWrong: false,
    update(looks, counts, theme) {
      const { classes } = looks.grouped;
      regroup(`${looks.head} ${classes.length}`, classes.length);
      setText(subject, looks.head);
      list.ariaLabel = looks.head;
      const many = picks(classes.length);
      const slots = slotsOf(legend.on, theme.classes.length);
      const does = many ? "colours it or leaves it grey, double click or Alt+Enter colours it alone" : SHOWS;
      classes.forEach((entry, k) => {
        // Where a scale colours the points the groups only filter.
        const color = looks.color ? "var(--nnw-text2)" : (theme.classes[slots[k] as number] as string);
        paint(rows[k]!, entry, legend.on[k] === true, color, does);
      });
      element.style.setProperty("--nnw-wrong-width", wrongWidth(classes));
      setText(pick, `Pick ${looks.named ? "classes" : "groups"} to colour them`);
      setHidden(pick, !many || looks.color !== null);
      setText(showAll, many ? "Pick none" : "Show all");
      bar.update(looks.color, theme);
      sizes.update(looks.size, theme);
      onlyWrong.ariaPressed = String(legend.onlyWrong);
      element.style.setProperty("--nnw-key", theme.classes[EXAMPLE_CLASS] ?? theme.text2);
      const words = keyWords(looks, counts, legend.on, legend.onlyWrong);
      for (const { kind, row, text } of keys) {
        setText(text, words[kind]);
        setHidden(row, words[kind] === "");
      }
      for (const part of [head, list, links]) setHidden(part, classes.length === 0);
    },
    offer(given) {
      for (const { name, controls } of options) controls.update(given.filter((option) => option.name === name));
    },
  };
  return legend;
}

const SHOWS = "hides or shows it, double click or Alt+Enter shows it alone";

/** Room for the longest number of wrong ones: rows are grids of their own and need one width. */
export function wrongWidth(classes: readonly ClassEntry[]): string {
  return `${Math.max(0, ...classes.map(({ wrong }) => formatCount(wrong).length))}ch`;
}

/** `does`: what a click does. */
function paint(row: Row, { name, n, wrong }: ClassEntry, on: boolean, color: string, does: string): void {
  const words = `${name}: ${formatCount(n)} samples, ${formatCount(wrong)} wrong`;
  row.element.ariaChecked = String(on);
  row.element.title = `${words}. Click ${does}.`;
  row.element.ariaLabel = words;
  row.swatch.style.setProperty("--nnw-swatch", on ? color : "transparent");
  row.name.show(name);
  setText(row.n, formatCount(n));
  setText(row.wrong, formatCount(wrong));
}

/** The ends of a scale and its name between them, with a canvas before and perhaps one after them. */
function makeKey(
  kind: "color" | "size",
  canvases: readonly [HTMLCanvasElement, HTMLCanvasElement?],
  nameOf: (scale: Scale) => string,
  draw: (scale: Scale, theme: Theme) => void,
) {
  const [low, name, high] = [make("span"), make("span", "nnw-points-key-name nnw-small nnw-cut"), make("span")];
  const element = make("div", `nnw-points-${kind}-key`, canvases[0], low, name, high, canvases[1] ?? "");
  return {
    element,
    /** Goes away without a scale. */
    update(scale: Scale | null, theme: Theme): void {
      setHidden(element, scale === null);
      if (!scale) return;
      draw(scale, theme);
      setText(low, formatValue(scale.low));
      setText(name, nameOf(scale));
      name.title = nameOf(scale);
      setText(high, formatValue(scale.high));
    },
  };
}

function makeColorKey() {
  const ramp = make("canvas");
  return makeKey("color", [ramp], colorName, (scale, theme) => {
    const context = prepareCanvas(ramp, BAR.width, BAR.height);
    if (context) drawRamp(penOn(context), scaleLut(scale, theme), { x: 0, y: 0, ...BAR });
  });
}

function makeSizeKey() {
  const [small, large] = [make("canvas"), make("canvas")];
  return makeKey("size", [small, large], ({ name }) => name, (_, theme) => {
    for (const [canvas, area] of [[small, AREA.least], [large, AREA.most]] as const) {
      const context = prepareCanvas(canvas, 12, 12);
      if (context) penOn(context).disc(6, 6, RADIUS * Math.sqrt(area), { fill: theme.text2 });
    }
  });
}
