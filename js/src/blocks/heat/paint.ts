/** Drawing the figures into canvases. Plain functions of data; they know no model and no event. */

import { type Rect, type Scale, cellRects, drawHatch } from "../../kernel/canvas.ts";
import { type Theme, lookUp, packRgb, parseHex } from "../../kernel/color.ts";
import { shortened } from "../../kernel/format.ts";
import { type Positions, cellEdges, cellOfPixel } from "./geometry.ts";
import type { Region } from "./regions.ts";

/** Share of the class colour kept where the prediction did not change. */
export const MUTED = 0.3;

const NAME_SIZE = 13;
const LONGEST_NAME = 12;

/** A scale that starts at zero is drawn in ink, a signed one in the diverging map, symmetric about its true zero. */
export function scaleOf({ low, high }: { low: number; high: number }, theme: Theme): Scale {
  if (low >= 0) return { lo: low, hi: high, lut: theme.ink };
  const most = Math.max(-low, Math.abs(high));
  return { lo: -most, hi: most, lut: theme.diverging };
}

/** One packed colour per position, null for none: hatched in grey where it is not computed yet, else as an error. */
export function paintCells(
  context: CanvasRenderingContext2D,
  to: Rect,
  positions: Positions,
  colorOf: (cell: number) => number | null,
  computed: (cell: number) => boolean,
  theme: Theme,
): void {
  const { width, height } = context.canvas;
  const [rowEdges, colEdges] = edgesOf(positions);
  const rowOf = cellOfPixel(rowEdges, positions.size[0], height);
  const colOf = cellOfPixel(colEdges, positions.size[1], width);
  const columns = positions.cols.length;
  const cells = Array.from({ length: positions.rows.length * columns }, (_, cell) => cell);
  const colors = cells.map((cell) => (computed(cell) ? colorOf(cell) : null));
  const image = context.createImageData(width, height);
  const out = new Uint32Array(image.data.buffer);
  rowOf.forEach((row, y) => {
    if (row < 0) return;
    for (let x = 0; x < width; x++) {
      const col = colOf[x]!;
      if (col >= 0) out[y * width + x] = colors[row * columns + col] ?? 0;
    }
  });
  context.putImageData(image, 0, 0);
  const [toY, toX] = [to.height / positions.size[0], to.width / positions.size[1]];
  const hatch = (color: string, wanted: (cell: number) => boolean): void => {
    const chosen = cells.filter(wanted);
    const rects = cellRects(chosen, columns, (col) => colEdges[col]! * toX, (row) => rowEdges[row]! * toY);
    drawHatch(context, rects, color);
  };
  hatch(theme.line, (cell) => !computed(cell));
  hatch(theme.error, (cell) => computed(cell) && colors[cell] === null);
}

function edgesOf({ rows, cols, patch }: Positions): [number[], number[]] {
  return [cellEdges(rows, patch[0]), cellEdges(cols, patch[1])];
}

export function valueColor(values: ArrayLike<number>, scale: Scale): (cell: number) => number | null {
  return (cell) => {
    const value = values[cell]!;
    return Number.isFinite(value) ? lookUp(scale.lut, value, scale.lo, scale.hi) : null;
  };
}

/** A class's packed colour, muted where it is the unchanged one. */
export function classColor(hex: string, unchanged: boolean): number {
  const opaque = packRgb(parseHex(hex.slice(1)));
  return unchanged ? ((opaque & 0xffffff) | (Math.round(255 * MUTED) << 24)) >>> 0 : opaque;
}

/** The class's name on each region that has room for it, with a halo; names never overlap, larger regions first. */
export function paintNames(
  context: CanvasRenderingContext2D,
  to: Rect,
  positions: Positions,
  regions: readonly Region[],
  nameOf: (label: number) => string,
  theme: Theme,
): void {
  const [rowEdges, colEdges] = edgesOf(positions);
  const [toY, toX] = [to.height / positions.size[0], to.width / positions.size[1]];
  const cellArea = (toY * (rowEdges.at(-1)! - rowEdges[0]!) * toX * (colEdges.at(-1)! - colEdges[0]!)) /
    Math.max(1, positions.rows.length * positions.cols.length);
  context.font = `600 ${NAME_SIZE}px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  const taken: Rect[] = [];
  for (const region of regions) {
    const full = nameOf(region.label);
    const text = shortened(full, LONGEST_NAME);
    const width = context.measureText(text).width + 4;
    if (region.area * cellArea < width * NAME_SIZE) continue;
    const middle = ((colEdges[region.col]! + colEdges[region.col + 1]!) / 2) * toX;
    const x = Math.min(to.width - width / 2, Math.max(width / 2, middle));
    const y = ((rowEdges[region.row]! + rowEdges[region.row + 1]!) / 2) * toY;
    const box = { x: x - width / 2, y: y - NAME_SIZE / 2, width, height: NAME_SIZE };
    if (taken.some((other) => overlap(box, other))) continue;
    taken.push(box);
    context.strokeStyle = theme.surface;
    context.lineWidth = 3;
    context.strokeText(text, x, y + 1);
    context.fillStyle = theme.text;
    context.fillText(text, x, y + 1);
  }
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
