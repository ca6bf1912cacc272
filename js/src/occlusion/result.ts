/** An occlusion frame as the view uses it: typed arrays, checked for being there. Knows no DOM. */

import type { CommonHeader } from "../kernel/header.ts";
import type { Frame, Values } from "../kernel/wire.ts";
import type { Cell, Positions } from "./geometry.ts";
import type { Clean, Covered, ScoreKind } from "./table.ts";

export interface Range {
  lo: number;
  hi: number;
  unit: string;
}

/** Wire names are snake_case, as Python sends them. */
export interface OcclusionHeader extends CommonHeader {
  overlay_title: string;
  overlay_sub: string;
  /** p of the target, summed activity of the strongest map, predicted class. */
  panels: { title: string; sub: string }[];
  patch: [number, number];
  image_size: [number, number];
  clean: Clean;
  class_names: string[];
  /** Class, its name, and its share of the positions, largest first. */
  legend: [number, string, number][];
  scales: { importance: Range; p: Range; map_sum: Range };
  target: number;
  kind: ScoreKind;
  table_labels: string[];
}

export interface Result {
  header: OcclusionHeader;
  positions: Positions;
  picture: Values;
  /** (H, W), positive where probability is lost. */
  importance: Values;
  /** (rows, cols) of positions; NaN where not computed yet. */
  p: Values;
  mapSum: Values;
  predicted: Values;
  predictedP: Values;
}

/** The result in a frame, or null for a frame that only says how things stand. */
export function readResult(frame: Frame<OcclusionHeader>): Result | null {
  const { header, arrays } = frame;
  const { picture, importance, rows, cols, p, map_sum, predicted, predicted_p } = arrays;
  if (!picture || !importance || !rows || !cols || !p || !map_sum || !predicted || !predicted_p) return null;
  return {
    header,
    positions: { rows: rows.data, cols: cols.data, patch: header.patch, size: header.image_size },
    picture: picture.data,
    importance: importance.data,
    p: p.data,
    mapSum: map_sum.data,
    predicted: predicted.data,
    predictedP: predicted_p.data,
  };
}

export function indexOf(result: Result, cell: Cell): number {
  return cell.i * result.positions.cols.length + cell.j;
}

/** What the net says with the square at `cell`. */
export function coveredAt(result: Result, cell: Cell): Covered {
  const at = indexOf(result, cell);
  return {
    p: result.p[at]!,
    map_sum: result.mapSum[at]!,
    predicted: result.predicted[at]!,
    predicted_p: result.predictedP[at]!,
  };
}

/** The square that changes the target's score most: where the view starts. */
export function strongest(result: Result): Cell {
  let best = 0;
  let most = -1;
  result.p.forEach((p, at) => {
    const change = Math.abs(p - result.header.clean.p);
    if (change > most) [best, most] = [at, change];
  });
  const columns = Math.max(1, result.positions.cols.length);
  return { i: Math.floor(best / columns), j: best % columns };
}

/** The predicted class of every position, -1 where it is not computed yet. */
export function predictedLabels(result: Result): Int32Array {
  return Int32Array.from(result.predicted, (label, at) => (Number.isFinite(result.p[at]!) ? label : -1));
}
