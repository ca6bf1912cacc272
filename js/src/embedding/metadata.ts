/** What the user says of the samples, row by row of a cloud. Knows the wire's arrays; no DOM. */

import { formatValue } from "../kernel/format.ts";
import type { CommonHeader, Frame } from "../kernel/panel.ts";
import { type Cloud, NO_CLASS } from "./cloud.ts";
import { sameIds } from "./motion.ts";

/** Of the channel "metadata", which comes once. */
export interface MetadataHeader extends CommonHeader {
  columns: { name: string; names?: string[]; low?: number; high?: number }[];
}

export interface Column {
  readonly name: string;
  /** Codes into `names`, NO_CLASS without a value; null for a scale. */
  readonly codes: ArrayLike<number> | null;
  readonly names: readonly string[];
  /** Numbers, NaN without a value; null for texts. */
  readonly numbers: Float64Array | null;
  readonly low: number;
  readonly high: number;
}

/** Columns as they came: their rows are those of `indices`, which may be more than a cloud shows. */
export interface Metadata {
  readonly indices: ArrayLike<number>;
  readonly columns: readonly Column[];
}

export const NO_METADATA: Metadata = { indices: [], columns: [] };

export function readMetadata(frame: Frame<CommonHeader>): Metadata {
  const { columns } = frame.header as MetadataHeader;
  return {
    indices: frame.arrays["indices"]?.data ?? [],
    columns: columns.map(({ name, names = [], low = 0, high = 0 }, place) => {
      const codes = frame.arrays[`codes_${place}`]?.data;
      const shares = frame.arrays[`shares_${place}`]?.data;
      return {
        name,
        names,
        low,
        high,
        codes: codes ? Int32Array.from(codes, (code) => (code < 0 ? NO_CLASS : code)) : null,
        numbers: shares ? Float64Array.from(shares, (share) => low + share * (high - low)) : null,
      };
    }),
  };
}

/** Names and values of one row, of those that it has. */
export function wordsOf(columns: readonly Column[], row: number): [string, string][] {
  return columns.flatMap(({ name, codes, names, numbers }): [string, string][] => {
    const text = codes ? names[codes[row] as number] : formatValue(numbers?.[row] ?? Number.NaN);
    return text === undefined || text === "NaN" ? [] : [[name, text]];
  });
}

/** The columns of the cloud's rows, in their order. */
export function columnsOf(metadata: Metadata, cloud: Cloud): readonly Column[] {
  if (metadata.columns.length === 0 || sameIds(metadata.indices, cloud.indices)) return metadata.columns;
  const place = new Map<number, number>();
  for (let i = 0; i < metadata.indices.length; i++) place.set(metadata.indices[i] as number, i);
  const rows = Int32Array.from(cloud.indices, (index) => place.get(index) ?? -1);
  return metadata.columns.map((column) => ({
    ...column,
    codes: column.codes ? Int32Array.from(rows, (row) => column.codes?.[row] ?? NO_CLASS) : null,
    numbers: column.numbers ? Float64Array.from(rows, (row) => column.numbers?.[row] ?? Number.NaN) : null,
  }));
}
