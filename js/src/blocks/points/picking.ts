/** What lies under the pointer, in a rectangle, in a lasso. Works on screen positions (n × 2, CSS px); knows no DOM. */

import { magnified } from "./camera.ts";

const CELL = 16;
type See = (row: number, x: number, y: number) => void;

/** A uniform grid over the canvas. Built lazily by its owner: 70 000 points take some ms, a pick microseconds. */
export class PickGrid {
  readonly #columns: number;
  readonly #rows: number;
  /** Rows of the points in each cell. */
  readonly #cells: number[][];
  readonly #xy: Float32Array;

  /** `pickable[i]` is 0 for points that cannot be hit; points off the canvas are left out. */
  constructor(xy: Float32Array, pickable: Uint8Array, width: number, height: number) {
    this.#xy = xy;
    this.#columns = Math.max(Math.ceil(width / CELL), 1);
    this.#rows = Math.max(Math.ceil(height / CELL), 1);
    this.#cells = Array.from({ length: this.#columns * this.#rows }, () => []);
    for (let i = 0; i < pickable.length; i++) {
      const column = Math.floor((xy[2 * i] as number) / CELL);
      const row = Math.floor((xy[2 * i + 1] as number) / CELL);
      const inside = column >= 0 && row >= 0 && column < this.#columns && row < this.#rows;
      if (inside && pickable[i]) this.#cells[row * this.#columns + column]?.push(i);
    }
  }

  /** Row of the nearest point within `reach` px, or -1; of equals the one drawn last. */
  nearest(x: number, y: number, reach: number): number {
    let best = -1;
    let least = reach * reach;
    this.#visit(x - reach, y - reach, x + reach, y + reach, (i, px, py) => {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least || (distance === least && i > best)) {
        least = distance;
        best = i;
      }
    });
    return best;
  }

  /** Row of the point nearest to the eye of those whose disc, of at most `reach` px, is under (x, y); or -1. */
  frontmost(x: number, y: number, reach: number, radiusOf: (row: number) => number, nearness: Float32Array): number {
    let best = -1;
    this.#visit(x - reach, y - reach, x + reach, y + reach, (i, px, py) => {
      const near = nearness[i] as number;
      if (Math.hypot(px - x, py - y) > radiusOf(i) * magnified(near)) return;
      if (best < 0 || near > (nearness[best] as number)) best = i;
    });
    return best;
  }

  /** How many points lie in a rectangle. */
  count(left: number, top: number, right: number, bottom: number): number {
    let inside = 0;
    this.#visit(left, top, right, bottom, (_, px, py) => {
      if (px >= left && px <= right && py >= top && py <= bottom) inside += 1;
    });
    return inside;
  }

  #visit(left: number, top: number, right: number, bottom: number, see: See): void {
    const clamp = (value: number, most: number): number => Math.max(0, Math.min(most, Math.floor(value / CELL)));
    const [lastColumn, lastRow] = [clamp(right, this.#columns - 1), clamp(bottom, this.#rows - 1)];
    for (let row = clamp(top, this.#rows - 1); row <= lastRow; row++) {
      for (let column = clamp(left, this.#columns - 1); column <= lastColumn; column++) {
        for (const i of this.#cells[row * this.#columns + column] ?? []) {
          see(i, this.#xy[2 * i] as number, this.#xy[2 * i + 1] as number);
        }
      }
    }
  }
}

/** Nearest pickable point in a direction (unit vector), for the arrow keys: distance, with turning aside counted twice. */
export function nearestTowards(xy: Float32Array, pickable: Uint8Array, from: number, dx: number, dy: number): number {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < pickable.length; i++) {
    if (i === from || !pickable[i]) continue;
    const x = (xy[2 * i] as number) - (xy[2 * from] as number);
    const y = (xy[2 * i + 1] as number) - (xy[2 * from + 1] as number);
    const ahead = x * dx + y * dy;
    const aside = Math.abs(x * dy - y * dx);
    if (ahead <= 0 || aside > ahead) continue;
    if (ahead + 2 * aside < least) {
      least = ahead + 2 * aside;
      best = i;
    }
  }
  return best;
}

/**
 * Whether a line goes round a place, by the non-zero winding rule: just what a canvas fills, so that a lasso drawn over
 * its own beginning leaves nothing out. `polygon` is x0, y0, x1, y1, … and closes itself; only the `edges` are looked at
 * that reach the height of the place, told by the offsets of their first vertices.
 */
function inPolygon(x: number, y: number, polygon: ArrayLike<number>, edges: ArrayLike<number>): boolean {
  let winding = 0;
  for (let e = 0; e < edges.length; e++) {
    const i = edges[e] as number;
    const j = (i + 2) % polygon.length;
    const yi = polygon[i + 1] as number;
    const yj = polygon[j + 1] as number;
    if (yi > y === yj > y) continue;
    const xi = polygon[i] as number;
    if (x < (((polygon[j] as number) - xi) * (y - yi)) / (yj - yi) + xi) winding += yi > y ? 1 : -1;
  }
  return winding !== 0;
}

/** Heights in one band are tested against the same few edges of a polygon. */
const BAND = 8;

/** For each band from `top` to `bottom`, the edges that reach into it. */
function edgesByBand(polygon: ArrayLike<number>, top: number, bottom: number): number[][] {
  const bands: number[][] = Array.from({ length: Math.floor((bottom - top) / BAND) + 1 }, () => []);
  for (let i = 0; i < polygon.length; i += 2) {
    const [from, to] = [polygon[i + 1] as number, polygon[(i + 3) % polygon.length] as number];
    const last = Math.floor((Math.max(from, to) - top) / BAND);
    for (let band = Math.floor((Math.min(from, to) - top) / BAND); band <= last; band++) bands[band]?.push(i);
  }
  return bands;
}

/** Rows of the pickable points inside a polygon. */
export function rowsInside(xy: Float32Array, pickable: Uint8Array, polygon: ArrayLike<number>): number[] {
  const along = (axis: number): number[] => Array.from(polygon).filter((_, k) => k % 2 === axis);
  const [xs, ys] = [along(0), along(1)];
  const [left, top, right, bottom] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  const rows: number[] = [];
  const bands = edgesByBand(polygon, top, bottom);
  for (let i = 0; i < pickable.length; i++) {
    const x = xy[2 * i] as number;
    const y = xy[2 * i + 1] as number;
    if (!pickable[i] || x < left || x > right || y < top || y > bottom) continue;
    if (inPolygon(x, y, polygon, bands[Math.floor((y - top) / BAND)] ?? [])) rows.push(i);
  }
  return rows;
}

export type SelectMode = "replace" | "add" | "remove";

/** The selection after a box, lasso or click, in the order in which samples came in. */
export function combine(current: readonly number[], hits: readonly number[], mode: SelectMode): number[] {
  if (mode === "replace") return [...hits];
  const set = new Set(current);
  for (const hit of hits) mode === "add" ? set.add(hit) : set.delete(hit);
  return [...set];
}
