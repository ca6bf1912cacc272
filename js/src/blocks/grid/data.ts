/** What the tiles of a grid are called: words come from Python for the page's tiles only, and may be left out. */

import { formatValue } from "../../kernel/format.ts";
import type { GridBlock } from "../types.ts";

export const countOf = ({ layout, values }: GridBlock): number => values.shape[layout === "strips" ? 1 : 0] ?? 0;

/** The unit of a tile; strips and sequences have all units in order. */
export const unitOf = ({ units }: GridBlock, tile: number): number => units?.[tile] ?? tile;

/** Where a unit is on this page; null when it isn't. */
export function tileOf(data: GridBlock, unit: number | null): number | null {
  if (unit === null) return null;
  const tile = data.units ? data.units.indexOf(unit) : unit;
  return tile >= 0 && tile < countOf(data) ? tile : null;
}

export const labelOf = (data: GridBlock, tile: number): string => data.labels?.[tile] ?? String(unitOf(data, tile));

export const nameOf = (data: GridBlock, tile: number): string => `${data.noun} ${labelOf(data, tile)}`;

/** Everything there is to say of a tile; of a strip that is its values, which Python sends no words for. */
export const descriptionOf = (data: GridBlock, tile: number): string =>
  data.described?.[tile] ??
  [nameOf(data, tile), ...valuesOf(data, tile), data.flags?.[tile], data.figures?.[tile]]
    .filter((words) => words)
    .join(", ");

function valuesOf({ layout, values, row_titles: titles }: GridBlock, tile: number): string[] {
  if (layout !== "strips") return [];
  const [rows, units] = values.shape as [number, number];
  return Array.from({ length: rows }, (_, row) =>
    `${titles[row] ?? ""} ${formatValue(values.data[row * units + tile] as number)}`.trim(),
  );
}
