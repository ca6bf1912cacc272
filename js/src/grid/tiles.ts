/** Tiles: one canvas for the pictures, and over it one element per tile for label, flag, ring and accessible name. */

import { type Rect, drawPixels, prepareCanvas } from "../kernel/canvas.ts";
import type { Theme } from "../kernel/color.ts";
import { make, setHidden, setText } from "../kernel/dom.ts";
import { formatValue } from "../kernel/format.ts";
import type { Frame, NdArray } from "../kernel/wire.ts";
import type { Board } from "./board.ts";
import type { GridHeader, ScaleHeader, TilesHeader } from "./header.ts";
import { cellAt, cellRect, layoutTiles, tileAt, tileRect, wholeSize } from "./layout.ts";
import { drawTiles, isColor, reduceMaps, scaleOf, tilePixels } from "./paint.ts";

interface TileElement {
  cell: HTMLElement;
  frame: HTMLElement;
  left: HTMLElement;
  right: HTMLElement;
}

export interface Tiles extends Board {
  update(frame: Frame<GridHeader>): void;
  /** Shows the selected tile over the whole board, or steps back; without a wish the other of the two. */
  enlarge(wanted?: boolean): boolean;
  /** What is to be said about the drawing itself. */
  note(): string;
}

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

function makeTile(id: string, role: string): TileElement {
  const [frame, left, right] = [make("div", "nnw-frame"), make("span"), make("span")];
  const cell = make("div", "nnw-tile", frame, make("div", "nnw-tile-label", left, right));
  cell.id = id;
  cell.setAttribute("role", role);
  return { cell, frame, left, right };
}

function labelTile(element: TileElement, tile: number, tiles: TilesHeader, hasMaps: boolean): void {
  const flag = tiles.flags[tile] ?? "";
  const words = [flag, tiles.values[tile]].filter(Boolean).join(" ");
  setText(element.left, tiles.labels[tile] ?? "");
  setText(element.right, words);
  element.right.classList.toggle("nnw-strong", flag !== "" || /^[†‡≡]/.test(words));
  element.frame.classList.toggle("nnw-dashed", !hasMaps || flag.startsWith("dead"));
  const name = tiles.aria[tile] ?? `${tiles.labels[tile] ?? ""} ${words}`;
  if (element.cell.getAttribute("aria-label") !== name) element.cell.setAttribute("aria-label", name);
}

function placeTile({ cell, frame }: TileElement, at: Rect, selected: boolean): void {
  cell.style.transform = `translate(${at.x}px, ${at.y}px)`;
  cell.style.width = frame.style.width = `${at.width}px`;
  frame.style.height = `${at.height}px`;
  if (cell.getAttribute("role") === "gridcell") cell.setAttribute("aria-selected", String(selected));
}

let boards = 0;

/** A board of tiles that can be selected ("grid"), or of tiles that are only looked at ("group"). */
export function makeTiles(role: "grid" | "group", noun: string): Tiles {
  const prefix = `nnw-tiles-${++boards}-`;
  const canvas = make("canvas");
  canvas.setAttribute("aria-hidden", "true");
  const row = make("div", "nnw-contents");
  if (role === "grid") row.setAttribute("role", "row");
  const element = make("div", "nnw-tiles", canvas, row);
  element.setAttribute("role", role);
  const elements: TileElement[] = [];
  let header: GridHeader | undefined;
  let maps: NdArray | undefined;
  let shown: NdArray | undefined;
  let layout = layoutTiles(616, 0, 1, 1);
  let factor = 1;
  let enlarged = false;
  let big: { tile: number; frame: Rect } | null = null;

  function place(selected: number | null): void {
    element.style.height = `${layout.totalHeight}px`;
    elements.slice(0, layout.count).forEach((each, i) => placeTile(each, tileRect(layout, i), i === selected));
    if (role === "grid") element.setAttribute("aria-activedescendant", selected === null ? "" : prefix + selected);
  }

  /** The selected tile in the board's room, or null when the tiles are shown. */
  function bigFrame(width: number, selected: number | null): { tile: number; frame: Rect } | null {
    if (!enlarged || selected === null || !maps) return null;
    const [, rows, columns] = maps.shape as [number, number, number];
    const { size } = wholeSize(Math.max(rows, columns), Math.min(width, layout.totalHeight));
    const pixel = size / Math.max(rows, columns);
    return { tile: selected, frame: { x: 0, y: 0, width: columns * pixel, height: rows * pixel } };
  }

  return {
    element,
    columns: () => layout.columns,
    note() {
      const mean = shown !== maps ? `each cell the mean of ${layout.reduce} × ${layout.reduce}` : "";
      return big ? [`${noun} ${header?.tiles.labels[big.tile] ?? ""} enlarged, Esc: back`, mean].join(" ") : mean;
    },
    enlarge(wanted = !enlarged) {
      const changed = wanted !== enlarged;
      enlarged = wanted;
      return changed;
    },
    update({ header: next, arrays }) {
      header = next;
      maps = shown = arrays.maps;
      const { tiles } = next;
      while (elements.length < tiles.units.length) {
        const made = makeTile(prefix + elements.length, role === "grid" ? "gridcell" : "img");
        elements.push(made);
        row.append(made.cell);
      }
      elements.forEach((each, i) => {
        setHidden(each.cell, i >= tiles.units.length);
        if (i < tiles.units.length) labelTile(each, i, tiles, maps !== undefined);
      });
    },
    draw(width, theme: Theme, selected) {
      if (!header) return;
      const [, rows, columns] = (maps?.shape ?? [0, 1, 1]) as [number, number, number];
      layout = layoutTiles(width, header.tiles.units.length, rows, columns);
      place(selected);
      big = bigFrame(width, selected);
      row.hidden = big !== null;
      const context = prepareCanvas(canvas, width, layout.totalHeight);
      if (!context || !maps) return;
      shown = reduceMaps(maps, big ? 1 : layout.reduce);
      factor = Math.ceil((header.map_size?.[0] ?? rows) / (shown.shape[1] as number));
      if (!big) drawTiles(context, { maps: shown, scale: header.scale, layout }, theme);
      else drawPixels(context, tilePixels(maps, big.tile, scaleOf(header.scale, big.tile, theme)), big.frame, theme);
    },
    hit(x, y) {
      const tile = big ? big.tile : tileAt(layout, x, y);
      if (tile === null || !header) return null;
      const frame = big ? big.frame : tileRect(layout, tile);
      const name = `${noun} ${header.tiles.labels[tile] ?? tile}`;
      const [, rows, columns] = (shown?.shape ?? [0, 0, 0]) as [number, number, number];
      const cell = shown && cellAt(frame, rows, columns, x, y);
      if (!shown || !cell) return big ? null : { tile, cell: frame, text: name, strong: "" };
      return {
        tile,
        cell: cellRect(frame, rows, columns, cell),
        text: `${name} · ${span("row", cell.row, factor)}, ${span("col", cell.column, factor)} · `,
        strong: cellText(shown, header.scale, tile, cell.row, cell.column),
      };
    },
  };
}
