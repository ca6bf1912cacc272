/** The words for one square: the table clean / covered / change, and the tooltips. Knows formats; knows no DOM. */

import { formatCount, formatFixed, formatValue } from "../kernel/format.ts";

export interface Clean {
  p: number;
  /** Null or NaN where no layer has maps. */
  map_sum: number | null;
  predicted: number;
  predicted_p: number;
}

/** What the square under the pointer does; NaN in `p` means that it is not computed yet. */
export type Covered = Clean;

export type ScoreKind = "probability" | "logit";

export type Row = [label: string, clean: string, covered: string, change: string];

const NOT_YET = "…";

/** A probability has two decimals, a logit three significant digits. */
export function formatScore(value: number, kind: ScoreKind): string {
  return kind === "probability" ? formatFixed(value, 2) : formatValue(value);
}

/** The end of a scale: as its values, but whole numbers without decimals and small ones with three digits. */
export function formatEnd(value: number, kind: ScoreKind): string {
  if (Number.isInteger(value)) return formatCount(value);
  return Math.abs(value) < 0.01 ? formatValue(value) : formatScore(value, kind);
}

/** A sum, or a dash where there is none. */
export function formatSum(value: number | null): string {
  return value === null || Number.isNaN(value) ? "–" : formatValue(value);
}

/** The change of a sum, with no more decimals than the sums themselves have. */
function formatChange(before: number | null, after: number | null): string {
  if (before === null || after === null || Number.isNaN(after - before)) return "";
  const largest = formatValue(Math.max(Math.abs(before), Math.abs(after)));
  const decimals = largest.includes("e") ? -1 : (largest.split(".")[1]?.length ?? 0);
  const change = after - before;
  return withPlus(change, decimals < 0 ? formatValue(change) : formatFixed(change, decimals));
}

function withPlus(value: number, text: string): string {
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

export function className(names: readonly string[], label: number): string {
  return names[label] ?? String(label);
}

/** A class with its probability: "9 (0.90)". */
function classAndScore(names: readonly string[], state: Clean): string {
  return `${className(names, state.predicted)} (${formatFixed(state.predicted_p, 2)})`;
}

/** The three rows of the table; `labels` are their names, made in Python. */
export function tableRows(
  labels: readonly string[],
  clean: Clean,
  covered: Covered | null,
  kind: ScoreKind,
  names: readonly string[],
): Row[] {
  const [score, map, label] = labels as [string, string, string];
  const known = covered !== null && Number.isFinite(covered.p);
  const before = [formatScore(clean.p, kind), formatSum(clean.map_sum), classAndScore(names, clean)] as const;
  if (!known) {
    return [score, map, label].map((name, k): Row => [name, before[k] ?? "", NOT_YET, ""]);
  }
  const change = covered.p - clean.p;
  const shift = kind === "probability" ? withPlus(change, formatFixed(change, 2)) : formatChange(clean.p, covered.p);
  return [
    [score, before[0], formatScore(covered.p, kind), shift],
    [map, before[1], formatSum(covered.map_sum), formatChange(clean.map_sum, covered.map_sum)],
    [label, before[2], classAndScore(names, covered), covered.predicted === clean.predicted ? "same" : "changed"],
  ];
}
