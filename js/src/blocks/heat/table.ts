/** The words for one position: the rows of the table, and numbers as scales and tooltips write them. Knows no DOM. */

import { formatCount, formatFixed, formatValue } from "../../kernel/format.ts";
import { type PanelMap, className } from "./data.ts";

export type Row = [label: string, without: string, covered: string, change: string];

const NOT_YET = "…";

/** A value with as many decimals, or with three significant digits. */
export function formatScore(value: number, decimals?: number): string {
  return decimals === undefined ? formatValue(value) : formatFixed(value, decimals);
}

/** The end of a scale: as its values, but whole numbers without decimals and small ones with three digits. */
export function formatEnd(value: number, decimals?: number): string {
  if (Number.isInteger(value)) return formatCount(value);
  return Math.abs(value) < 0.01 ? formatValue(value) : formatScore(value, decimals);
}

/** What stands in the table for a panel's value or class; the first, undefined, is without a square. */
export function formatAt({ words, values, without, classes, classWithout }: PanelMap, at?: number): string {
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
