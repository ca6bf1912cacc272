/** The points as a table, RFC 4180. Pure. */

import { type Cloud, NO_CLASS } from "./cloud.ts";
import type { Column } from "./metadata.ts";

type Cell = string | number | null;

function cell(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  // A spreadsheet would take it for a formula; names come from data.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A number of so many digits; nothing for a value that is not there. */
const number = (value: number | undefined, digits: number): number | null =>
  value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(digits));

/** A class and its name. */
const named = (index: number, name: string | undefined): Cell[] =>
  index === NO_CLASS ? [null, null] : [index, name ?? String(index)];

/** A row's metadata; numbers to the 24 bits in which they were sent. */
function said({ codes, names, numbers, low, high }: Column, row: number): Cell {
  const name = codes ? names[codes[row] as number] : undefined;
  if (codes) return name === undefined ? null : numbers ? Number(name) : name;
  const value = numbers?.[row] ?? Number.NaN;
  const decimals = Math.floor(-Math.log10((high - low || Math.abs(high) || 1) / 2 ** 24));
  return Number.isFinite(value) ? Number(value.toFixed(Math.min(100, Math.max(0, decimals)))) : null;
}

/**
 * A header and a line for each of `rows`: places in the units of `result.embedding.positions`, to a part in 30 000 of
 * the map; loss and confidence to the 11 bits in which frames carry them; then a column for each of `columns`, with
 * "metadata" before a name that is taken.
 */
export function tableOf(
  cloud: Cloud,
  rows: readonly number[],
  selected: ReadonlySet<number>,
  columns: readonly Column[],
): string {
  const axes = ["x", "y", "z"].slice(0, cloud.dims);
  const own = ["index", ...axes, "label", "label_name", "predicted", "predicted_name", "loss", "confidence"];
  own.push("selected", "wrong");
  const lines: Cell[][] = [[...own, ...columns.map(({ name }) => (own.includes(name) ? `metadata ${name}` : name))]];
  for (const i of rows) {
    const [index, label, predicted] = [cloud.indices[i], cloud.labels[i], cloud.predicted[i]] as [number, number, number];
    lines.push([
      index,
      ...axes.map((_, axis) => number((cloud.positions[3 * i + axis] as number) * cloud.unit, 7)),
      ...named(label, cloud.classes[label]?.name),
      ...named(predicted, cloud.predictedNames[predicted]),
      number(cloud.loss[i], 4),
      number(cloud.confidence[i], 4),
      selected.has(index) ? 1 : 0,
      cloud.wrong[i] ? 1 : 0,
      ...columns.map((column) => said(column, i)),
    ]);
  }
  return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}
