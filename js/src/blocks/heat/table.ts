/** The words for one position: the rows of the table, the tooltips, and numbers as both write them. Knows no DOM. */

import type { Rect } from "../../kernel/canvas.ts";
import { formatCount, formatFixed, formatValue } from "../../kernel/format.ts";
import { type PanelMap, type Result, className, indexOf } from "./data.ts";
import { cellEdges } from "./geometry.ts";

export type Row = [label: string, without: string, covered: string, change: string];

const NOT_YET = "…";

/** A value with as many decimals, or with three significant digits. */
function formatScore(value: number, decimals?: number): string {
  return decimals === undefined ? formatValue(value) : formatFixed(value, decimals);
}

/** The end of a scale: as its values, but whole numbers without decimals and small ones with three digits. */
export function formatEnd(value: number, decimals?: number): string {
  if (Number.isInteger(value)) return formatCount(value);
  return Math.abs(value) < 0.01 ? formatValue(value) : formatScore(value, decimals);
}

/** What stands in the table for a panel's value or class; the first, undefined, is without a square. */
function formatAt({ words, values, without, classes, classWithout }: PanelMap, at?: number): string {
  const value = at === undefined ? without : values[at]!;
  if (!classes) return formatScore(value, words.decimals);
  const label = at === undefined ? classWithout : classes[at]!;
  return `${className(words, label)} (${formatScore(value, words.decimals)})`;
}

/** A change with no more decimals than the values themselves have. */
function formatChange(before: number, after: number, decimals?: number): string {
  const change = after - before;
  if (!Number.isFinite(change)) return "";
  const largest = formatValue(Math.max(Math.abs(before), Math.abs(after)));
  const shown = decimals ?? (largest.includes("e") ? undefined : (largest.split(".")[1]?.length ?? 0));
  const text = formatScore(change, shown);
  return change > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A row for each panel; `at` is null where the position is not computed yet. */
export function tableRows(panels: readonly PanelMap[], at: number | null): Row[] {
  return panels.map((panel): Row => {
    const { words, values, without, classes, classWithout } = panel;
    if (at === null) return [words.label, formatAt(panel), NOT_YET, ""];
    const same = classes?.[at] === classWithout ? "same" : "changed";
    const change = classes ? same : formatChange(without, values[at]!, words.decimals);
    return [words.label, formatAt(panel), formatAt(panel, at), change];
  });
}

/** What a tooltip says of a place in one of the figures. */
interface Tip {
  /** What is explained, in the coordinates of `frame`. */
  near: Rect;
  text: string;
  strong: string;
}

type Span = readonly [number, number];

/**
 * `figure`: a panel, or -1 for the overlay. The place is in picture pixels; `frame` is the figure's rectangle on the
 * page. Null over the margin of a panel.
 */
export function tipFor(figure: number, result: Result, row: number, col: number, frame: Rect): Tip | null {
  return figure < 0 ? pixelTip(result, row, col, frame) : squareTip(figure, result, row, col, frame);
}

function rectOf(result: Result, frame: Rect, [top, bottom]: Span, [left, right]: Span): Rect {
  const [height, width] = result.size;
  return {
    x: frame.x + (left / width) * frame.width,
    y: frame.y + (top / height) * frame.height,
    width: ((right - left) / width) * frame.width,
    height: ((bottom - top) / height) * frame.height,
  };
}

function pixelTip(result: Result, row: number, col: number, frame: Rect): Tip {
  const { block, size } = result;
  const inside = (at: number, length: number): number => Math.min(length - 1, Math.max(0, Math.floor(at)));
  const [i, j] = [inside(row, size[0]), inside(col, size[1])];
  const near = rectOf(result, frame, [i, i + 1], [j, j + 1]);
  const value = block.values.data[i * size[1] + j]!;
  const place = `pixel row ${i}, col ${j} · `;
  if (Number.isFinite(value)) return { near, text: `${place}${block.unit} `, strong: formatEnd(value, block.decimals) };
  const partial = block.computed?.data.includes(0) === true;
  return { near, text: `${place}${partial ? "not computed yet" : "not finite"}`, strong: "" };
}

function squareTip(figure: number, result: Result, row: number, col: number, frame: Rect): Tip | null {
  const { rows, cols, patch } = result.positions;
  const [rowEdges, colEdges] = [cellEdges(rows, patch[0]), cellEdges(cols, patch[1])];
  const i = rowEdges.findIndex((edge, k) => row >= edge && row < (rowEdges[k + 1] ?? -Infinity));
  const j = colEdges.findIndex((edge, k) => col >= edge && col < (colEdges[k + 1] ?? -Infinity));
  const panel = result.panels[figure];
  if (i < 0 || j < 0 || !panel) return null;
  const near = rectOf(result, frame, [rowEdges[i]!, rowEdges[i + 1]!], [colEdges[j]!, colEdges[j + 1]!]);
  const place = `square at row ${rows[i]}, col ${cols[j]} · `;
  const at = indexOf(result, { i, j });
  if (!result.computed(at)) return { near, text: `${place}not computed yet`, strong: "" };
  const unit = panel.classes ? "" : `${panel.words.unit} `;
  return { near, text: `${place}${unit}`, strong: formatAt(panel, at) };
}
