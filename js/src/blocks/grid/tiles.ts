/** Tiles: one canvas for the pictures, and over it one element per tile. */

import { type Rect, drawPixels, prepareCanvas } from "../../kernel/canvas.ts";
import type { Theme } from "../../kernel/color.ts";
import { make, setText, showRows } from "../../kernel/dom.ts";
import { formatValue } from "../../kernel/format.ts";
import type { Hit } from "../../kernel/hover.ts";
import type { NdArray } from "../../kernel/wire.ts";
import type { ColorScale, GridBlock } from "../types.ts";
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
export function makeTiles() {
  const [canvas, row] = [make("canvas"), make("div", "nnw-grid-contents")];
  const element = make("div", "nnw-grid-tiles", canvas, row);
  const prefix = `nnw-grid-tiles-${++boards}-`;
  const tiles: ReturnType<typeof makeTile>[] = [];
  let data: GridBlock | undefined;
  /** What is on the canvas: the maps, or their means when they are larger than a tile. */
  let shown: NdArray | undefined;
  let layout = layoutTiles(616, 0, 1, 1);
  let drawnWidth = 616;
  let enlarged = false;
  /** The tile shown over the whole board. */
  let big: { tile: number; frame: Rect } | null = null;
  canvas.ariaHidden = "true";

  function bigFrame({ shape }: NdArray, selected: number | null): { tile: number; frame: Rect } | null {
    if (!enlarged || selected === null) return null;
    const [, rows, columns] = shape as [number, number, number];
    const longer = Math.max(rows, columns);
    const pixel = wholeSize(longer, Math.min(drawnWidth, layout.totalHeight)).size / longer;
    return { tile: selected, frame: { x: 0, y: 0, width: columns * pixel, height: rows * pixel } };
  }

  function place(selected: number | null): void {
    element.style.height = `${layout.totalHeight}px`;
    row.hidden = big !== null;
    tiles.slice(0, layout.count).forEach((tile, i) => tile.place(tileRect(layout, i), i === selected));
    if (selected === null) element.removeAttribute("aria-activedescendant");
    else element.setAttribute("aria-activedescendant", prefix + selected);
  }

  return {
    element,
    columns: () => layout.columns,
    /** Shows the selected tile over the whole board, or steps back; tells whether that changed anything. */
    enlarge(wanted = !enlarged): boolean {
      const changed = wanted !== enlarged;
      enlarged = wanted;
      return changed;
    },
    /** What is to be said about the drawing itself. */
    note(): string {
      const { reduce } = layout;
      if (big && data) return `${nameOf(data, big.tile)} enlarged, Esc: back`;
      return shown !== data?.values ? `each cell the mean of ${reduce}\u202f×\u202f${reduce}` : "";
    },
    update(next: GridBlock): void {
      data = next;
      shown = next.values;
      element.role = next.column ? "grid" : "group";
      row.role = next.column ? "row" : "presentation";
      const count = countOf(next);
      showRows(row, tiles, count, (index) => makeTile(prefix + index));
      tiles.slice(0, count).forEach((tile, i) => tile.label(next, i));
    },
    draw(width: number, theme: Theme, selected: number | null): void {
      if (!data) return;
      const { values, scale } = data;
      const [count, rows, columns] = values.shape as [number, number, number];
      drawnWidth = width;
      layout = layoutTiles(width, count, rows, columns);
      big = bigFrame(values, selected);
      place(selected);
      const context = prepareCanvas(canvas, width, layout.totalHeight);
      if (!context) return;
      shown = big ? values : reduceMaps(values, layout.reduce);
      if (!big) drawTiles(context, { maps: shown, scale, layout }, theme);
      else drawPixels(context, tilePixels(values, big.tile, scaleOf(scale, big.tile, theme)), big.frame, theme);
    },
    hit(x: number, y: number): Hit | null {
      const tile = big ? big.tile : tileAt(layout, x, y);
      if (tile === null || !data || !shown) return null;
      const frame = big ? big.frame : tileRect(layout, tile);
      const [, rows, columns] = shown.shape as [number, number, number];
      const cell = cellAt(frame, rows, columns, x, y);
      // A narrow view has no room for figures below a tile.
      const name = isNarrow(drawnWidth) ? descriptionOf(data, tile) : nameOf(data, tile);
      if (!cell) return big ? null : { tile, cell: frame, text: name, strong: "" };
      // Python may have reduced the maps before.
      const [height, width] = data.size ?? [rows, columns];
      const factor = Math.ceil(height / rows);
      const at = `${span("row", cell.row, factor, height)}, ${span("col", cell.column, factor, width)}`;
      return {
        tile,
        cell: cellRect(frame, rows, columns, cell),
        text: `${name} · ${at} · `,
        strong: cellText(shown, data.scale, tile, cell.row, cell.column),
      };
    },
  };
}
