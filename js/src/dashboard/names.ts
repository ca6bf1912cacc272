/** Names and rows of the layer list. Pure: knows no DOM. */

export interface LayerRow {
  name: string;
  /** The last part of the name, what the tree shows. */
  short: string;
  depth: number;
  group: boolean;
  units: number | null;
  /** Share of units that are alive, null where dead has no meaning (before an activation). */
  alive: number | null;
  dead: number;
}

/** A name of so many letters fits the narrowest row; of longer ones the last three never give way. */
const FITS = 6;
const TAIL = 3;

/**
 * A name as its beginning and its end. A row gives way in the beginning first, so that a long name loses its middle:
 * the end is what tells two layers apart.
 */
export function splitName(name: string): [string, string] {
  const letters = Array.from(name);
  const at = letters.length > FITS ? letters.length - TAIL : letters.length;
  return [letters.slice(0, at).join(""), letters.slice(at).join("")];
}

/** The rows on show when the groups in `folded` are closed, each with its index in `rows`. */
export function openRows(rows: readonly LayerRow[], folded: ReadonlySet<string>): number[] {
  const shown: number[] = [];
  let hiddenBelow = Infinity;
  rows.forEach((row, index) => {
    if (row.depth > hiddenBelow) return;
    hiddenBelow = row.group && folded.has(row.name) ? row.depth : Infinity;
    shown.push(index);
  });
  return shown;
}

/** The index of the group that `index` lies in, or -1 at the top. */
export function parentRow(rows: readonly LayerRow[], index: number): number {
  for (let k = index - 1; k >= 0; k--) if (rows[k]!.group && rows[k]!.depth < rows[index]!.depth) return k;
  return -1;
}

/** The layer `by` places before or after `name`, groups left out; null at the ends. */
export function neighbour(rows: readonly LayerRow[], name: string | null, by: 1 | -1): string | null {
  const layers = rows.filter((row) => !row.group);
  const at = layers.findIndex((row) => row.name === name);
  return layers[at + by]?.name ?? null;
}
