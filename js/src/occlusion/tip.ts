/** What the tooltip says for a place in one of the figures. Numbers in, words out. */

import type { Rect } from "../kernel/canvas.ts";
import { formatFixed } from "../kernel/format.ts";
import { cellEdges } from "./geometry.ts";
import { type Result, coveredAt } from "./result.ts";
import { className, formatEnd, formatScore, formatSum } from "./table.ts";

export interface Tip {
  /** What is explained, in the coordinates of `frame`. */
  near: Rect;
  text: string;
  strong: string;
}

/** The place in picture pixels; `frame` is the figure's rectangle on the page. Null over the uncovered margin. */
export function tipFor(figure: string, result: Result, row: number, col: number, frame: Rect): Tip | null {
  return figure === "overlay" ? pixelTip(result, row, col, frame) : squareTip(figure, result, row, col, frame);
}

function rectOf(result: Result, frame: Rect, [top, bottom]: Span, [left, right]: Span): Rect {
  const [height, width] = result.positions.size;
  return {
    x: frame.x + (left / width) * frame.width,
    y: frame.y + (top / height) * frame.height,
    width: ((right - left) / width) * frame.width,
    height: ((bottom - top) / height) * frame.height,
  };
}

function pixelTip(result: Result, row: number, col: number, frame: Rect): Tip {
  const [height, width] = result.positions.size;
  const inside = (at: number, length: number): number => Math.min(length - 1, Math.max(0, Math.floor(at)));
  const [i, j] = [inside(row, height), inside(col, width)];
  const value = result.importance[i * width + j]!;
  const { unit } = result.header.scales.importance;
  const known = Number.isFinite(value);
  return {
    near: rectOf(result, frame, [i, i + 1], [j, j + 1]),
    text: known ? `pixel row ${i}, col ${j} · ${unit} ` : `pixel row ${i}, col ${j} · not computed yet`,
    strong: known ? formatEnd(value, result.header.kind) : "",
  };
}

type Span = readonly [number, number];

function squareTip(figure: string, result: Result, row: number, col: number, frame: Rect): Tip | null {
  const { rows, cols, patch } = result.positions;
  const [rowEdges, colEdges] = [cellEdges(rows, patch[0]), cellEdges(cols, patch[1])];
  const i = rowEdges.findIndex((edge, k) => row >= edge && row < (rowEdges[k + 1] ?? -Infinity));
  const j = colEdges.findIndex((edge, k) => col >= edge && col < (colEdges[k + 1] ?? -Infinity));
  if (i < 0 || j < 0) return null;
  const near = rectOf(result, frame, [rowEdges[i]!, rowEdges[i + 1]!], [colEdges[j]!, colEdges[j + 1]!]);
  const place = `square at row ${rows[i]}, col ${cols[j]} · `;
  const covered = coveredAt(result, { i, j });
  if (!Number.isFinite(covered.p)) return { near, text: `${place}not computed yet`, strong: "" };
  const { header } = result;
  const { p, map_sum: sum } = header.scales;
  if (figure === "p") return { near, text: `${place}${p.unit} `, strong: formatScore(covered.p, header.kind) };
  if (figure === "map") return { near, text: `${place}${sum.unit} `, strong: formatSum(covered.map_sum) };
  const name = className(header.class_names, covered.predicted);
  return { near, text: place, strong: `${name} (${formatFixed(covered.predicted_p, 2)})` };
}
