/** Lines under the points: trails through earlier maps, and from the sample looked at to its neighbours. */

import type { PointsBlock } from "../types.ts";
import { type Camera, type Size, project } from "./camera.ts";
import { POSITION_UNIT, triples } from "./cloud.ts";

export interface Trails {
  readonly maps: number;
  /** Rows of the cloud, one a trail. */
  readonly rows: ArrayLike<number>;
  /** maps × rows × 3, oldest first, in data units; the last map is the one shown. */
  readonly points: Float32Array;
}

/** The trails of a block; null where there are none to be shown. */
export function readTrails({ trails, trails_unit, trail_rows }: PointsBlock): Trails | null {
  if (!trails || !trail_rows) return null;
  const [maps = 0, , dims = 2] = trails.shape;
  return { maps, rows: trail_rows.data, points: triples(trails, dims, POSITION_UNIT * trails_unit) };
}

/** One stretch of the trails, between two maps, of the points of one colour. */
export interface Stroke {
  readonly color: string;
  readonly alpha: number;
  /** x0, y0, x1, y1 of each line, CSS px. */
  readonly lines: readonly number[];
}

export const TRAIL_WIDTH = 1.25;
const [FAINTEST, CLEAREST] = [0.1, 0.75];

/** Where the points are at a moment, and how they look. */
export interface Moment {
  /** n × 3 in units of the cloud, each `unit` of the data; they may be on their way. */
  readonly points: Float32Array;
  readonly unit: number;
  readonly colors: Uint8Array;
  readonly camera: Camera;
  readonly size: Size;
  hides(row: number): boolean;
}

/** The strokes of trails, oldest first and ever clearer; each trail ends where its point is now. */
export function strokesOf(trails: Trails, { points: now, unit, colors, camera, size, hides }: Moment): Stroke[] {
  const { maps, rows, points } = trails;
  const xy = new Float32Array(2 * maps * rows.length);
  const at = points.map((value) => value / unit);
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k] as number;
    at.set(now.subarray(3 * row, 3 * row + 3), 3 * ((maps - 1) * rows.length + k));
  }
  project(at, camera, size, xy);
  const strokes: Stroke[] = [];
  for (let map = 1; map < maps; map++) {
    const alpha = FAINTEST + (CLEAREST - FAINTEST) * (map / (maps - 1));
    const byColor = new Map<string, number[]>();
    for (let k = 0; k < rows.length; k++) {
      const row = rows[k] as number;
      if (hides(row)) continue;
      const color = `rgb(${colors.subarray(4 * row, 4 * row + 3).join(" ")})`;
      const lines = byColor.get(color) ?? [];
      const [from, to] = [2 * ((map - 1) * rows.length + k), 2 * (map * rows.length + k)];
      lines.push(...xy.subarray(from, from + 2), ...xy.subarray(to, to + 2));
      byColor.set(color, lines);
    }
    for (const [color, lines] of byColor) strokes.push({ color, alpha, lines });
  }
  return strokes;
}

/** Straight lines from a row to others, in one colour. */
export function spokesOf(row: number, others: readonly number[], moment: Moment, color: string): Stroke {
  const { points, camera, size } = moment;
  const rows = [row, ...others];
  const xy = new Float32Array(2 * rows.length);
  project(Float32Array.from(rows.flatMap((each) => [...points.subarray(3 * each, 3 * each + 3)])), camera, size, xy);
  const start = xy.subarray(0, 2);
  return { color, alpha: 0.6, lines: others.flatMap((_, k) => [...start, ...xy.subarray(2 * k + 2, 2 * k + 4)]) };
}

/** All that is drawn under the points; rows are -1 for none. */
export function strokesUnder(
  trails: Trails | null,
  sample: number,
  near: readonly number[],
  moment: Moment,
  brand: string,
): Stroke[] {
  const shown = near.filter((row) => row >= 0 && !moment.hides(row));
  const spokes = sample < 0 ? [] : [spokesOf(sample, shown, moment, brand)];
  return [...spokes, ...(trails ? strokesOf(trails, moment) : [])];
}

export function drawStrokes(context: CanvasRenderingContext2D, strokes: readonly Stroke[]): void {
  context.lineWidth = TRAIL_WIDTH;
  context.lineCap = "round";
  for (const { color, alpha, lines } of strokes) {
    context.globalAlpha = alpha;
    context.strokeStyle = color;
    context.beginPath();
    for (let i = 0; i < lines.length; i += 4) {
      context.moveTo(lines[i] as number, lines[i + 1] as number);
      context.lineTo(lines[i + 2] as number, lines[i + 3] as number);
    }
    context.stroke();
  }
  context.globalAlpha = 1;
}
