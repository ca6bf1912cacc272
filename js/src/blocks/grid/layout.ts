/** Where tiles and cells lie, in CSS px. Pure arithmetic: what is drawn and what is picked use the same numbers. */

import type { Rect } from "../../kernel/canvas.ts";

/** From the picture to its label, and the label. */
const LABEL = 20;
const ROW_GAP = 8;
/** Room between columns: what a whole number of tiles leaves over goes into it up to the most, the rest to the right. */
const LEAST_GAP = 8;
const MOST_GAP = 12;
const NARROW_GAP = 4;
const COLUMNS = 8;
/** A tile as designed, and the largest. */
const DESIGNED = 70;
const LARGEST = 96;

/** The inner width of a view under 560 px: less room, so figures go to hover. */
export const isNarrow = (width: number): boolean => width < 528;

export interface TileLayout {
  count: number;
  columns: number;
  /** Size of a tile's picture. */
  width: number;
  height: number;
  /** Map pixels that share one drawn cell along each side: 1, or more when maps are larger than a tile. */
  reduce: number;
  /** From one tile's left edge to the next one's, and from row to row. */
  pitchX: number;
  pitchY: number;
  totalHeight: number;
}

/** The largest whole multiple of `pixels` up to `room`, or whole fraction of it; the room itself if neither fits. */
export function wholeSize(pixels: number, room: number, least = 0): { size: number; reduce: number } {
  if (pixels <= room) {
    const size = Math.floor(room / pixels) * pixels;
    return { size: size >= least ? size : Math.floor(room), reduce: 1 };
  }
  const reduce = Math.ceil(pixels / room);
  const reduced = Math.ceil(pixels / reduce);
  return { size: Math.floor(room / reduced) * reduced, reduce };
}

/** A tile in `room`: pixels of one size, unless eight such tiles would leave much of the width empty. */
function tileSize(pixels: number, room: number): { size: number; reduce: number } {
  const { size, reduce } = wholeSize(pixels, room);
  const plain = Math.min(room, DESIGNED);
  // 28 pixels fill 70 px well enough; blown up by less than half, uneven pixels would look like structure.
  const wins = size < 0.875 * plain && plain >= 1.5 * Math.ceil(pixels / reduce);
  return { size: wins ? plain : size, reduce };
}

/** Tiles of maps (mapHeight, mapWidth): eight columns, more where the width has room for them. */
export function layoutTiles(width: number, count: number, mapHeight: number, mapWidth: number): TileLayout {
  const longer = Math.max(mapHeight, mapWidth, 1);
  const narrow = isNarrow(width);
  const least = narrow ? NARROW_GAP : LEAST_GAP;
  const room = Math.max(8, Math.min(LARGEST, Math.floor((width + least) / COLUMNS) - least));
  const { size, reduce } = tileSize(longer, room);
  const columns = narrow ? COLUMNS : Math.max(COLUMNS, Math.floor((width + least) / (size + least)));
  const gap = Math.max(1, Math.min(MOST_GAP, Math.floor((width - columns * size) / (columns - 1))));
  const pixel = size / Math.ceil(longer / reduce);
  const height = Math.ceil(mapHeight / reduce) * pixel;
  const rows = Math.max(1, Math.ceil(count / columns));
  const pitchY = height + LABEL + ROW_GAP;
  return {
    count,
    columns,
    width: Math.ceil(mapWidth / reduce) * pixel,
    height,
    reduce,
    pitchX: size + gap,
    pitchY,
    totalHeight: rows * pitchY - ROW_GAP,
  };
}

/** The picture of a tile, without its label. */
export function tileRect(layout: TileLayout, tile: number): Rect {
  return {
    x: (tile % layout.columns) * layout.pitchX,
    y: Math.floor(tile / layout.columns) * layout.pitchY,
    width: layout.width,
    height: layout.height,
  };
}

/** The tile at a point, label included; null in a gap. */
export function tileAt(layout: TileLayout, x: number, y: number): number | null {
  const column = Math.floor(x / layout.pitchX);
  const tile = Math.floor(y / layout.pitchY) * layout.columns + column;
  if (column < 0 || column >= layout.columns || tile < 0 || tile >= layout.count) return null;
  const at = tileRect(layout, tile);
  return x >= at.x && x < at.x + at.width && y < at.y + at.height + LABEL ? tile : null;
}

export interface Cell {
  row: number;
  column: number;
}

/** The cell of a rows × columns picture at a point; null outside. */
export function cellAt(frame: Rect, rows: number, columns: number, x: number, y: number): Cell | null {
  const column = Math.floor(((x - frame.x) / frame.width) * columns);
  const row = Math.floor(((y - frame.y) / frame.height) * rows);
  return row >= 0 && column >= 0 && row < rows && column < columns ? { row, column } : null;
}

export function cellRect(frame: Rect, rows: number, columns: number, { row, column }: Cell): Rect {
  const [width, height] = [frame.width / columns, frame.height / rows];
  return { x: frame.x + column * width, y: frame.y + row * height, width, height };
}

/** Room for row titles and unit numbers left of strips and sequences. */
const MARGIN = 88;
const AXIS = 24;

export interface StripLayout {
  /** Units of one line; more units go on to the next line. */
  perLine: number;
  cell: number;
  rows: number;
  rowHeight: number;
  rowPitch: number;
  linePitch: number;
  lines: number;
  left: number;
  width: number;
  totalHeight: number;
}

/** Strips of `units` cells, one strip per row: 7 px a unit where that fits, 32 high. */
export function layoutStrips(width: number, units: number, rows: number, withDead: boolean): StripLayout {
  const left = isNarrow(width) ? 0 : MARGIN;
  const room = Math.max(64, width - left);
  const whole = Math.floor(room / Math.max(1, units));
  // Below 2 px a cell is no longer seen: lines of equal length at 4 px instead.
  const lines = whole >= 2 ? 1 : Math.ceil(units / Math.floor(room / 4));
  const cell = whole >= 2 ? Math.min(28, whole) : 4;
  const perLine = Math.max(1, Math.ceil(units / lines));
  const linePitch = rows * 36 + (withDead ? 16 : 0) + AXIS;
  return {
    perLine,
    cell,
    rows,
    rowHeight: 32,
    rowPitch: 36,
    linePitch,
    lines,
    left,
    width: perLine * cell,
    totalHeight: lines * linePitch,
  };
}

/** The strip cell of a unit in a row. */
export function stripRect(layout: StripLayout, row: number, unit: number): Rect {
  return {
    x: layout.left + (unit % layout.perLine) * layout.cell,
    y: Math.floor(unit / layout.perLine) * layout.linePitch + row * layout.rowPitch,
    width: layout.cell,
    height: layout.rowHeight,
  };
}

/** The unit and row at a point; the row is clipped, so that marks and numbers pick their unit too. */
export function stripAt(layout: StripLayout, units: number, x: number, y: number): { unit: number; row: number } | null {
  const column = Math.floor((x - layout.left) / layout.cell);
  const line = Math.floor(y / layout.linePitch);
  const unit = line * layout.perLine + column;
  if (column < 0 || column >= layout.perLine || line < 0 || unit >= units) return null;
  const row = Math.floor((y - line * layout.linePitch) / layout.rowPitch);
  return { unit, row: Math.min(layout.rows - 1, row) };
}

/** A sequence (units, positions) as one picture beside its unit numbers. */
export function layoutSequence(width: number, units: number, positions: number): { frame: Rect; totalHeight: number } {
  const left = isNarrow(width) ? 32 : MARGIN;
  const room = Math.max(64, width - left);
  const cellWidth = positions > room ? room / positions : Math.min(28, Math.floor(room / positions));
  const cellHeight = Math.min(14, Math.max(2, Math.floor(448 / Math.max(1, units))));
  const frame = { x: left, y: 6, width: cellWidth * positions, height: cellHeight * units };
  return { frame, totalHeight: frame.y + frame.height + AXIS };
}

/** Numbers of an axis: a step of 16 for units, else about eight round ones. */
export function axisTicks(count: number, step = niceStep(count)): number[] {
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
}

function niceStep(count: number): number {
  const rough = Math.max(1, count / 8);
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
}
