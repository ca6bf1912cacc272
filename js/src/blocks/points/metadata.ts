/** Metadata of the points, column by column. No DOM. */

import { formatValue } from "../../kernel/format.ts";
import { type NdArray, type Values, rowOf } from "../../kernel/wire.ts";
import type { PointsBlock } from "../types.ts";

/** Numbers travel as this for the whole way from low to high. */
const SHARE_STEPS = 2 ** 24;

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

const PARTS = ["columns", "codes", "shares"] as const;
export const sameColumns = (a: PointsBlock, b: PointsBlock | null): boolean =>
  PARTS.every((name) => a[name] === b?.[name]);

/** The columns, each with a value for every row of the cloud. */
export function readColumns({ columns, codes, shares }: PointsBlock): readonly Column[] {
  const own = (array: NdArray | undefined, row: number | undefined): Values | null =>
    array && row !== undefined ? rowOf(array, row) : null;
  return columns.map(({ name, names, low, high, codes: coded, shares: scaled }) => {
    const way = own(shares, scaled);
    const number = (share: number): number => (share < 0 ? Number.NaN : low + (share / SHARE_STEPS) * (high - low));
    return {
      name,
      names: JSON.parse(names) as string[],
      low,
      high,
      codes: own(codes, coded),
      numbers: way ? Float64Array.from(way, number) : null,
    };
  });
}

/** Names and values of one row, of those that it has. */
export function wordsOf(columns: readonly Column[], row: number): [string, string][] {
  return columns.flatMap(({ name, codes, names, numbers }): [string, string][] => {
    const text = codes ? names[codes[row] as number] : formatValue(numbers?.[row] ?? Number.NaN);
    return text === undefined || text === "NaN" ? [] : [[name, text]];
  });
}
