/** Tiles: one canvas for the pictures, and over it one element per tile. */

import { type Rect, drawPixels, prepareCanvas } from "../kernel/canvas.ts";
import type { Theme } from "../kernel/color.ts";
import { make, setHidden } from "../kernel/dom.ts";
import { formatValue } from "../kernel/format.ts";
import type { Hit } from "../kernel/hover.ts";
import type { Frame, NdArray } from "../kernel/wire.ts";
import type { Board } from "./board.ts";
import type { GridHeader, ScaleHeader } from "./header.ts";
import { cellAt, cellRect, isNarrow, layoutTiles, tileAt, tileRect, wholeSize } from "./layout.ts";
import { drawTiles, isColor, reduceMaps, scaleOf, tilePixels } from "./paint.ts";
import { type Tile, makeTile } from "./tile.ts";

/** A value at a cell, or the three of a colour picture, as text. */
export function cellText(maps: NdArray, scale: ScaleHeader, tile: number, row: number, column: number): string {
  const [, height, width] = maps.shape as [number, number, number];
  const at = (tile * height + row) * width + column;
  if (!isColor(maps)) return formatValue(maps.data[at] as number);
  // Colours are packed with zero at 128 and ±hi at 127 from it.
  const value = (k: number): number => (((maps.data[3 * at + k] as number) - 128) / 127) * scale.hi;
  return `${formatValue(value(0))}, ${formatValue(value(1))}, ${formatValue(value(2))}`;
}

/** "row 9", or "rows 18–19" when a cell stands for several. */
function span(word: string, index: number, factor: number): string {
  const first = index * factor;
  return factor > 1 ? `${word}s ${first}–${first + factor - 1}` : `${word} ${first}`;
}

let boards = 0;

/** A board of tiles that can be selected ("grid"), or of tiles that are only looked at ("group"). */
export class Tiles implements Board {
  readonly element: HTMLElement;
  readonly #canvas = make("canvas");
  readonly #row = make("div", "nnw-contents");
  readonly #prefix = `nnw-tiles-${++boards}-`;
  readonly #tiles: Tile[] = [];
  readonly #role: "grid" | "group";
  readonly #noun: string;
  #header: GridHeader | undefined;
  #maps: NdArray | undefined;
  /** What is on the canvas: the maps, or their means when they are larger than a tile. */
  #shown: NdArray | undefined;
  #layout = layoutTiles(616, 0, 1, 1);
  #width = 616;
  #enlarged = false;
  /** The tile shown over the whole board. */
  #big: { tile: number; frame: Rect } | null = null;

  constructor(role: "grid" | "group", noun: string) {
    this.#role = role;
    this.#noun = noun;
    this.#canvas.setAttribute("aria-hidden", "true");
    if (role === "grid") this.#row.setAttribute("role", "row");
    this.element = make("div", "nnw-tiles", this.#canvas, this.#row);
    this.element.setAttribute("role", role);
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
    const mean = this.#shown !== this.#maps ? `each cell the mean of ${reduce}\u202f×\u202f${reduce}` : "";
    return this.#big ? `${this.#name(this.#big.tile)} enlarged, Esc: back` : mean;
  }

  update({ header, arrays }: Frame<GridHeader>): void {
    this.#header = header;
    this.#maps = this.#shown = arrays.maps;
    const count = header.tiles.units.length;
    while (this.#tiles.length < count) {
      const tile = makeTile(this.#prefix + this.#tiles.length, this.#role === "grid" ? "gridcell" : "img");
      this.#tiles.push(tile);
      this.#row.append(tile.element);
    }
    this.#tiles.forEach((tile, i) => {
      if (i < count) tile.label(header.tiles, i, arrays.maps !== undefined);
      else setHidden(tile.element, true);
    });
  }

  draw(width: number, theme: Theme, selected: number | null): void {
    if (!this.#header) return;
    const [, rows, columns] = (this.#maps?.shape ?? [0, 1, 1]) as [number, number, number];
    this.#width = width;
    this.#layout = layoutTiles(width, this.#header.tiles.units.length, rows, columns);
    this.#big = this.#bigFrame(selected);
    this.#place(selected);
    const context = prepareCanvas(this.#canvas, width, this.#layout.totalHeight);
    if (context && this.#maps) this.#paint(context, this.#maps, this.#header.scale, theme);
  }

  hit(x: number, y: number): Hit | null {
    const tile = this.#big ? this.#big.tile : tileAt(this.#layout, x, y);
    if (tile === null || !this.#header) return null;
    const frame = this.#big ? this.#big.frame : tileRect(this.#layout, tile);
    const maps = this.#shown;
    const [, rows, columns] = (maps?.shape ?? [0, 0, 0]) as [number, number, number];
    const cell = maps && cellAt(frame, rows, columns, x, y);
    if (!maps || !cell) return this.#big ? null : { tile, cell: frame, text: this.#name(tile), strong: "" };
    // Python may have reduced the maps before.
    const factor = Math.ceil((this.#header.map_size?.[0] ?? rows) / rows);
    return {
      tile,
      cell: cellRect(frame, rows, columns, cell),
      text: `${this.#name(tile)} · ${span("row", cell.row, factor)}, ${span("col", cell.column, factor)} · `,
      strong: cellText(maps, this.#header.scale, tile, cell.row, cell.column),
    };
  }

  /** What a tile is called under the pointer; in a narrow view with the figures that have no room below it. */
  #name(tile: number): string {
    const tiles = this.#header?.tiles;
    const full = isNarrow(this.#width) ? tiles?.aria[tile] : undefined;
    return full ?? `${this.#noun} ${tiles?.labels[tile] ?? tile}`;
  }

  #bigFrame(selected: number | null): { tile: number; frame: Rect } | null {
    if (!this.#enlarged || selected === null || !this.#maps) return null;
    const [, rows, columns] = this.#maps.shape as [number, number, number];
    const longer = Math.max(rows, columns);
    const pixel = wholeSize(longer, Math.min(this.#width, this.#layout.totalHeight)).size / longer;
    return { tile: selected, frame: { x: 0, y: 0, width: columns * pixel, height: rows * pixel } };
  }

  #place(selected: number | null): void {
    const { count, totalHeight } = this.#layout;
    this.element.style.height = `${totalHeight}px`;
    this.#row.hidden = this.#big !== null;
    this.#tiles.slice(0, count).forEach((tile, i) => tile.place(tileRect(this.#layout, i), i === selected));
    if (this.#role !== "grid") return;
    if (selected === null) this.element.removeAttribute("aria-activedescendant");
    else this.element.setAttribute("aria-activedescendant", this.#prefix + selected);
  }

  #paint(context: CanvasRenderingContext2D, maps: NdArray, scale: ScaleHeader, theme: Theme): void {
    const big = this.#big;
    this.#shown = big ? maps : reduceMaps(maps, this.#layout.reduce);
    if (!big) drawTiles(context, { maps: this.#shown, scale, layout: this.#layout }, theme);
    else drawPixels(context, tilePixels(maps, big.tile, scaleOf(scale, big.tile, theme)), big.frame, theme);
  }
}
