/** Tiles: one canvas for the pictures, and over it one element per tile. */

import { type Rect, drawPixels, prepareCanvas } from "../../kernel/canvas.ts";
import type { Theme } from "../../kernel/color.ts";
import { make, setText, showRows } from "../../kernel/dom.ts";
import { formatValue } from "../../kernel/format.ts";
import type { Hit } from "../../kernel/hover.ts";
import type { NdArray } from "../../kernel/wire.ts";
import type { ColorScale, GridBlock } from "../types.ts";
import type { Board } from "./board.ts";
import { countOf, descriptionOf, labelOf, nameOf } from "./data.ts";
import { cellAt, cellRect, isNarrow, layoutTiles, tileAt, tileRect, wholeSize } from "./layout.ts";
import { drawTiles, isColor, reduceMaps, scaleOf, tilePixels } from "./paint.ts";

/** A value at a cell, or the three of a colour picture, as text. */
export function cellText(maps: NdArray, scale: ColorScale | undefined, tile: number, row: number, column: number): string {
  const [, height, width] = maps.shape as [number, number, number];
  const at = (tile * height + row) * width + column;
  if (!isColor(maps)) return formatValue(maps.data[at] as number);
  // Colours with a scale have zero at 128 and ±hi at 127 from it; others are 0–255.
  const level = (k: number): number => maps.data[3 * at + k] as number;
  const words = (k: number): string => (scale ? formatValue(((level(k) - 128) / 127) * scale.hi) : String(level(k)));
  return [0, 1, 2].map(words).join(", ");
}

/** "row 9", or "rows 18–19" when a cell stands for several of `size`. */
function span(word: string, index: number, factor: number, size: number): string {
  const first = index * factor;
  const last = Math.min(first + factor, size) - 1;
  return last > first ? `${word}s ${first}–${last}` : `${word} ${first}`;
}

/** "‡ 0.08" is the mark, which always shows, and the figure, which a narrow view leaves to hover. */
function splitMark(words: string): [string, string] {
  const mark = /^[†‡≡≈]/.exec(words)?.[0] ?? "";
  return [mark, words.slice(mark.length)];
}

function makeTile(id: string) {
  const frame = make("div", "nnw-grid-frame");
  const [left, flag, mark] = [make("span"), make("span"), make("span")];
  const figure = make("span", "nnw-grid-figure");
  const right = make("span", "", flag, mark, figure);
  const element = make("div", "nnw-grid-tile", frame, make("div", "nnw-grid-tile-label nnw-small", left, right));
  element.id = id;
  return {
    element,
    label(data: GridBlock, index: number): void {
      const words = data.flags?.[index] ?? "";
      const [sign, value] = splitMark(data.figures?.[index] ?? "");
      element.setAttribute("role", data.column ? "gridcell" : "img");
      setText(left, labelOf(data, index));
      setText(flag, words && value ? `${words} ` : words);
      setText(mark, sign);
      setText(figure, value);
      right.classList.toggle("nnw-strong", words + sign !== "");
      frame.classList.toggle("nnw-grid-dashed", words.startsWith("dead"));
      const name = descriptionOf(data, index);
      if (element.getAttribute("aria-label") !== name) element.setAttribute("aria-label", name);
    },
    place(at: Rect, selected: boolean): void {
      element.style.transform = `translate(${at.x}px, ${at.y}px)`;
      element.style.width = frame.style.width = `${at.width}px`;
      frame.style.height = `${at.height}px`;
      if (element.getAttribute("role") === "gridcell") element.setAttribute("aria-selected", String(selected));
    },
  };
}

let boards = 0;

/** A board of tiles that can be selected ("grid"), or of tiles that are only looked at ("group"). */
export class Tiles implements Board {
  readonly element: HTMLElement;
  readonly #canvas = make("canvas");
  readonly #row = make("div", "nnw-grid-contents");
  readonly #prefix = `nnw-grid-tiles-${++boards}-`;
  readonly #tiles: ReturnType<typeof makeTile>[] = [];
  #data: GridBlock | undefined;
  /** What is on the canvas: the maps, or their means when they are larger than a tile. */
  #shown: NdArray | undefined;
  #layout = layoutTiles(616, 0, 1, 1);
  #width = 616;
  #enlarged = false;
  /** The tile shown over the whole board. */
  #big: { tile: number; frame: Rect } | null = null;

  constructor() {
    this.#canvas.setAttribute("aria-hidden", "true");
    this.element = make("div", "nnw-grid-tiles", this.#canvas, this.#row);
  }

  columns(): number {
    return this.#layout.columns;
  }

  /** Shows the selected tile over the whole board, or steps back; tells whether that changed anything. */
  enlarge(wanted = !this.#enlarged): boolean {
    const changed = wanted !== this.#enlarged;
    this.#enlarged = wanted;
    return changed;
  }

  /** What is to be said about the drawing itself. */
  note(): string {
    const { reduce } = this.#layout;
    if (this.#big && this.#data) return `${nameOf(this.#data, this.#big.tile)} enlarged, Esc: back`;
    return this.#shown !== this.#data?.values ? `each cell the mean of ${reduce}\u202f×\u202f${reduce}` : "";
  }

  update(data: GridBlock): void {
    this.#data = data;
    this.#shown = data.values;
    this.element.setAttribute("role", data.column ? "grid" : "group");
    this.#row.setAttribute("role", data.column ? "row" : "presentation");
    const count = countOf(data);
    showRows(this.#row, this.#tiles, count, (place) => makeTile(this.#prefix + place));
    this.#tiles.slice(0, count).forEach((tile, i) => tile.label(data, i));
  }

  draw(width: number, theme: Theme, selected: number | null): void {
    if (!this.#data) return;
    const { values, scale } = this.#data;
    const [count, rows, columns] = values.shape as [number, number, number];
    this.#width = width;
    this.#layout = layoutTiles(width, count, rows, columns);
    this.#big = this.#bigFrame(values, selected);
    this.#place(selected);
    const context = prepareCanvas(this.#canvas, width, this.#layout.totalHeight);
    if (!context) return;
    const big = this.#big;
    this.#shown = big ? values : reduceMaps(values, this.#layout.reduce);
    if (!big) drawTiles(context, { maps: this.#shown, scale, layout: this.#layout }, theme);
    else drawPixels(context, tilePixels(values, big.tile, scaleOf(scale, big.tile, theme)), big.frame, theme);
  }

  hit(x: number, y: number): Hit | null {
    const tile = this.#big ? this.#big.tile : tileAt(this.#layout, x, y);
    const [data, maps] = [this.#data, this.#shown];
    if (tile === null || !data || !maps) return null;
    const frame = this.#big ? this.#big.frame : tileRect(this.#layout, tile);
    const [, rows, columns] = maps.shape as [number, number, number];
    const cell = cellAt(frame, rows, columns, x, y);
    // A narrow view has no room for figures below a tile.
    const name = isNarrow(this.#width) ? descriptionOf(data, tile) : nameOf(data, tile);
    if (!cell) return this.#big ? null : { tile, cell: frame, text: name, strong: "" };
    // Python may have reduced the maps before.
    const [height, width] = data.size ?? [rows, columns];
    const factor = Math.ceil(height / rows);
    const place = `${span("row", cell.row, factor, height)}, ${span("col", cell.column, factor, width)}`;
    return {
      tile,
      cell: cellRect(frame, rows, columns, cell),
      text: `${name} · ${place} · `,
      strong: cellText(maps, data.scale, tile, cell.row, cell.column),
    };
  }

  #bigFrame({ shape }: NdArray, selected: number | null): { tile: number; frame: Rect } | null {
    if (!this.#enlarged || selected === null) return null;
    const [, rows, columns] = shape as [number, number, number];
    const longer = Math.max(rows, columns);
    const pixel = wholeSize(longer, Math.min(this.#width, this.#layout.totalHeight)).size / longer;
    return { tile: selected, frame: { x: 0, y: 0, width: columns * pixel, height: rows * pixel } };
  }

  #place(selected: number | null): void {
    const { count, totalHeight } = this.#layout;
    this.element.style.height = `${totalHeight}px`;
    this.#row.hidden = this.#big !== null;
    this.#tiles.slice(0, count).forEach((tile, i) => tile.place(tileRect(this.#layout, i), i === selected));
    if (selected === null) this.element.removeAttribute("aria-activedescendant");
    else this.element.setAttribute("aria-activedescendant", this.#prefix + selected);
  }
}
