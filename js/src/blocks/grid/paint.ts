/** Drawing of grids: plain functions of a context, values and a theme. */

import { type Pixels, type Rect, type Scale, drawPixels, drawText, mapPixels, rawPixels } from "../../kernel/canvas.ts";
import type { Theme } from "../../kernel/color.ts";
import type { NdArray } from "../../kernel/wire.ts";
import type { ColorScale } from "../types.ts";
import { type StripLayout, type TileLayout, axisTicks, stripRect, tileRect } from "./layout.ts";

/** The scale of a tile, or of the selected unit on another page; one without extent still maps zero to the ground. */
export function scaleOf(scale: ColorScale | undefined, tile: number | null, theme: Theme): Scale {
  const own = tile === null ? scale?.selected : scale?.per_tile?.[tile];
  const [lo, hi] = own ?? [scale?.lo ?? 0, scale?.hi ?? 0];
  const lut = scale?.signed ? theme.diverging : theme.ink;
  return hi > lo ? { lo, hi, lut } : { lo: scale?.signed ? -1 : 0, hi: 1, lut };
}

/** Whether pictures (n, h, w, 3) hold colours and not values. */
export const isColor = (maps: NdArray): boolean => maps.shape.length === 4;

/** Means over reduce × reduce cells of maps (n, h, w); one not-a-number makes its mean one. */
export function reduceMaps(maps: NdArray, reduce: number): NdArray {
  if (reduce <= 1 || isColor(maps)) return maps;
  const [count, height, width] = maps.shape as [number, number, number];
  const [rows, columns] = [Math.ceil(height / reduce), Math.ceil(width / reduce)];
  const out = new Float32Array(count * rows * columns);
  const sizes = new Float32Array(out.length);
  for (let i = 0; i < maps.data.length; i++) {
    const column = i % width;
    const row = Math.floor(i / width) % height;
    const map = Math.floor(i / (width * height));
    const at = (map * rows + Math.floor(row / reduce)) * columns + Math.floor(column / reduce);
    out[at] = (out[at] as number) + (maps.data[i] as number);
    sizes[at] = (sizes[at] as number) + 1;
  }
  return { shape: [count, rows, columns], data: out.map((sum, i) => sum / (sizes[i] as number)) };
}

export function tilePixels(maps: NdArray, tile: number, scale: Scale): Pixels {
  return isColor(maps) ? rawPixels(maps, tile, 3) : mapPixels(maps, tile, scale);
}

export interface TilesPicture {
  maps: NdArray;
  scale: ColorScale | undefined;
  layout: TileLayout;
}

export function drawTiles(context: CanvasRenderingContext2D, { maps, scale, layout }: TilesPicture, theme: Theme): void {
  for (let tile = 0; tile < layout.count; tile++) {
    drawPixels(context, tilePixels(maps, tile, scaleOf(scale, tile, theme)), tileRect(layout, tile), theme);
  }
}

export interface StripsPicture {
  /** (rows, units). */
  values: NdArray;
  dead: NdArray | undefined;
  titles: readonly string[];
  scale: ColorScale | undefined;
  layout: StripLayout;
  selected: number | null;
}

export function drawStrips(context: CanvasRenderingContext2D, picture: StripsPicture, theme: Theme): void {
  const { values, layout } = picture;
  const units = values.shape[1] as number;
  const scale = scaleOf(picture.scale, 0, theme);
  for (let line = 0; line < layout.lines; line++) {
    const first = line * layout.perLine;
    const length = Math.min(layout.perLine, units - first);
    for (let row = 0; row < layout.rows; row++) {
      const start = row * units + first;
      const part: NdArray = { shape: [1, length], data: values.data.slice(start, start + length) };
      const at = stripRect(layout, row, first);
      drawPixels(context, mapPixels(part, 0, scale), { ...at, width: length * layout.cell }, theme);
      if (layout.left > 0 && line === 0) {
        drawText(context, picture.titles[row] ?? "", 0, at.y + 16, theme, row === 0 ? theme.text : theme.text2);
      }
    }
    drawMarks(context, picture, line, theme);
  }
  if (picture.selected !== null) ringUnit(context, layout, picture.selected, theme);
}

/** Below the strips of a line: a mark per dead unit, then the unit numbers. */
function drawMarks(context: CanvasRenderingContext2D, picture: StripsPicture, line: number, theme: Theme): void {
  const { layout, dead, values } = picture;
  const units = values.shape[1] as number;
  const first = line * layout.perLine;
  const last = Math.min(units, first + layout.perLine) - 1;
  let y = line * layout.linePitch + layout.rows * layout.rowPitch;
  if (dead) {
    if (layout.left > 0 && line === 0) drawText(context, "dead †", 0, y + 8, theme, theme.text2);
    context.fillStyle = theme.flag;
    const width = Math.max(1, Math.min(3, layout.cell - 1));
    for (let unit = first; unit <= last; unit++) {
      if (dead.data[unit]) {
        const cell = stripRect(layout, 0, unit);
        context.fillRect(cell.x + (cell.width - width) / 2, y + 4, width, 8);
      }
    }
    y += 16;
  }
  const every = 16 * Math.ceil(2 / layout.cell);
  const end = `unit ${last}`;
  const endX = layout.left + (last - first + 1) * layout.cell;
  for (const unit of axisTicks(last + 1, units > 16 ? every : 1)) {
    const x = stripRect(layout, 0, unit).x;
    if (unit >= first && unit !== last && x < endX - 76) drawText(context, String(unit), x, y + 10, theme, theme.text2);
  }
  drawText(context, end, endX, y + 10, theme, theme.text2, "right");
}

function ringUnit(context: CanvasRenderingContext2D, layout: StripLayout, unit: number, theme: Theme): void {
  const top = stripRect(layout, 0, unit);
  context.strokeStyle = theme.brand;
  context.lineWidth = 2;
  const height = (layout.rows - 1) * layout.rowPitch + layout.rowHeight;
  // Within the canvas also for the first unit.
  const x = Math.max(1, top.x - 1);
  context.strokeRect(x, top.y + 1, top.x + top.width + 1 - x, height - 2);
}

/** What "unit ↓ position →" takes. */
const NAMES_WIDTH = 100;

export interface SequencePicture {
  /** (units, positions). */
  values: NdArray;
  /** What a row holds: position, input. */
  titles: readonly string[];
  scale: ColorScale | undefined;
  frame: Rect;
  selected: number | null;
}

export function drawSequence(context: CanvasRenderingContext2D, picture: SequencePicture, theme: Theme): void {
  const { values, frame } = picture;
  const [units, positions] = values.shape as [number, number];
  drawPixels(context, mapPixels(values, 0, scaleOf(picture.scale, 0, theme)), frame, theme);
  const [width, height] = [frame.width / positions, frame.height / units];
  for (const unit of axisTicks(units, units > 16 ? 16 : Math.ceil(14 / height))) {
    drawText(context, String(unit), frame.x - 8, frame.y + (unit + 0.5) * height, theme, theme.text2, "right");
  }
  const bottom = frame.y + frame.height + 12;
  // The axes' names stand at the end, in place of the last numbers.
  const end = frame.x + frame.width;
  for (const at of axisTicks(positions)) {
    const x = frame.x + at * width;
    if (x < end - NAMES_WIDTH - 24) drawText(context, String(at), x, bottom, theme, theme.text2);
  }
  drawText(context, `unit ↓ ${picture.titles[0] ?? "position"} →`, end, bottom, theme, theme.text2, "right");
  if (picture.selected !== null) {
    context.strokeStyle = theme.brand;
    context.lineWidth = 2;
    context.strokeRect(frame.x, frame.y + picture.selected * height - 1, frame.width, height + 2);
  }
}
