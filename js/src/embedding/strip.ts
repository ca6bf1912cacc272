/** The selected samples under the cloud: their pictures, highest loss first; also the cloud's text form. */

import { plainDigits, formatCount } from "../kernel/format.ts";
import { icon, make, setHidden, setText } from "../kernel/dom.ts";
import type { NdArray, Panel } from "../kernel/panel.ts";
import { paintPicture, picturePixels } from "./card.ts";
import type { StripEntry } from "./cloud.ts";

const CELL = 56;
const LEAST_GAP = 8;
const MOST_CELLS = 12;

/** How many cells a width holds, and how many of them are pictures when the last must say "+3". */
export function stripCells(
  width: number,
  total: number,
  sent: number,
): { columns: number; pictures: number; more: number } {
  const columns = Math.max(2, Math.min(MOST_CELLS, Math.floor((width + LEAST_GAP) / (CELL + LEAST_GAP))));
  const all = total <= columns && sent >= total;
  const pictures = Math.min(sent, all ? columns : columns - 1);
  return { columns, pictures, more: pictures > 0 ? total - pictures : 0 };
}

export interface StripState {
  /** The first of the selected; the count is of all. */
  entries: readonly StripEntry[];
  pictures: NdArray | undefined;
  selected: readonly number[];
  sample: number | null;
  width: number;
  /** What colours a sample besides its classes, name and value. */
  said(index: number): readonly [string, string] | null;
}

export class Strip {
  readonly element: HTMLElement;
  readonly #heading = make("span", "nnw-strip-title");
  readonly #note = make("span", "nnw-strip-note");
  readonly #cells = make("div", "nnw-strip-cells");
  readonly #full: HTMLElement;
  readonly #empty: HTMLElement;
  readonly #copy = make("button", "nnw-link", "Copy indices");
  #drawn = "";
  #drawnPictures: NdArray | undefined;
  #selected: readonly number[] = [];
  readonly #choose: (index: number) => void;

  constructor(listen: Panel["listen"], choose: (index: number) => void, clear: () => void) {
    this.#choose = choose;
    const clearButton = make("button", "nnw-link", "Clear");
    const links = make("span", "nnw-strip-links", this.#copy, clearButton);
    this.#cells.role = "list";
    this.#full = make("div", "", make("div", "nnw-strip-head", this.#heading, this.#note, links), this.#cells);
    const words = make(
      "div",
      "nnw-strip-note",
      "Click a point to look at it, or draw round some with the lasso (L). Esc clears. Their pictures come here.",
    );
    const square = icon(["M2 2h12v12H2z"], { dash: "2.4 1.6" });
    this.#empty = make("div", "nnw-strip-empty", square, make("div", "", make("div", "", "Nothing selected"), words));
    this.element = make("section", "nnw-strip", this.#full, this.#empty);
    this.element.ariaLabel = "Selected samples";
    listen(clearButton, "click", clear);
    listen(this.#copy, "click", () => void this.#copyIndices());
    // One listener for all cells: they come and go with the selection.
    listen(this.#cells, "click", (event) => {
      const cell = (event.target as Element).closest<HTMLElement>("[data-index]");
      if (cell) this.#choose(Number(cell.dataset["index"]));
    });
  }

  update(state: StripState): void {
    this.#selected = state.selected;
    const total = state.selected.length;
    setHidden(this.#full, total === 0);
    setHidden(this.#empty, total > 0);
    setText(this.#heading, `${formatCount(total)} selected`);
    // Strips of an earlier selection are not shown for this one.
    const chosen = new Set(state.selected);
    const entries = state.entries.every((entry) => chosen.has(entry.index)) ? state.entries : [];
    const layout = stripCells(state.width, total, entries.length);
    const said = entries.map(({ index }) => state.said(index));
    const key = JSON.stringify([layout, entries, state.sample, said]);
    if (key === this.#drawn && state.pictures === this.#drawnPictures) return;
    this.#drawn = key;
    this.#drawnPictures = state.pictures;
    const [by] = said[0] ?? [];
    setText(this.#note, `highest loss first · label → predicted${by ? ` · ${by}` : ""} · shown in every view`);
    this.#cells.style.gridTemplateColumns = `repeat(${layout.columns}, ${CELL}px)`;
    const shown = entries
      .slice(0, layout.pictures)
      .map((entry, k) => cell(entry, said[k] ?? null, state.pictures, k, entry.index === state.sample));
    if (layout.more > 0) shown.push(make("div", "nnw-strip-more", `+${formatCount(layout.more)}`));
    this.#cells.replaceChildren(...shown);
  }

  async #copyIndices(): Promise<void> {
    const text = this.#selected.map((index) => plainDigits(String(index))).join(", ");
    try {
      await navigator.clipboard.writeText(`[${text}]`);
      this.#say("Copied");
    } catch {
      // No permission or no secure page: the browser alone knows why.
      this.#say("Copying is not allowed here");
    }
  }

  #say(text: string): void {
    setText(this.#copy, text);
    setTimeout(() => setText(this.#copy, "Copy indices"), 1500);
  }
}

function cell(
  entry: StripEntry,
  said: readonly [string, string] | null,
  pictures: NdArray | undefined,
  k: number,
  current: boolean,
): HTMLElement {
  const { index, label, predicted } = entry;
  const known = predicted !== "";
  const wrong = known && label !== predicted;
  const words = make(
    "span",
    wrong ? "nnw-strip-label nnw-wrong" : "nnw-strip-label",
    known ? `${label} → ${predicted}` : label,
  );
  const more = said ? `, ${said.join(" ")}` : "";
  const title = `Sample ${formatCount(index)}: label ${label}${known ? `, predicted ${predicted}` : ""}${more}`;
  const lines = [words, ...(said ? [make("span", "nnw-strip-said", said[1])] : [])];
  return sampleCell({ index, pictures, k, current, title }, [...lines, make("span", "nnw-strip-index", formatCount(index))]);
}

export interface SampleCell {
  index: number;
  /** Its picture is the k-th of these, if any. */
  pictures: NdArray | undefined;
  k: number;
  current: boolean;
  title: string;
}

/** A sample in a list, to be clicked: its picture and lines of words. */
export function sampleCell({ index, pictures, k, current, title }: SampleCell, lines: HTMLElement[]): HTMLElement {
  const canvas = make("canvas", "nnw-strip-picture");
  if (pictures && k < (pictures.shape[0] ?? 0)) paintPicture(canvas, picturePixels(pictures, k, true));
  else canvas.classList.add("nnw-empty");
  const button = make("button", "nnw-strip-cell", canvas, ...lines);
  button.dataset["index"] = String(index);
  button.title = title;
  button.ariaPressed = String(current);
  const item = make("div", "", button);
  item.role = "listitem";
  return item;
}
