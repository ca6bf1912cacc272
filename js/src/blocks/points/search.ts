/** Which points a typed text means. Knows no DOM. */

import type { Cloud } from "./cloud.ts";
import type { Column } from "./metadata.ts";

/**
 * 1 for every row of a cloud that a query fits; null for an empty one. "17" is the sample with this index, "#17" only
 * that; any text is looked for in the names of classes and predictions and in the texts of the columns.
 */
export function searchRows(query: string, cloud: Cloud, columns: readonly Column[]): Uint8Array | null {
  const text = query.trim().toLowerCase();
  if (text === "" || text === "#") return null;
  const found = new Uint8Array(cloud.n);
  const digits = /^#?(\d+)$/.exec(text)?.[1];
  if (digits !== undefined) {
    const row = Array.prototype.indexOf.call(cloud.indices, Number(digits));
    if (row >= 0) found[row] = 1;
    if (text.startsWith("#")) return found;
  }
  mark(found, cloud.labels, fitting(cloud.classes.map(({ name }) => name), text));
  mark(found, cloud.predicted, fitting(cloud.predictedNames, text));
  for (const { codes, names } of columns) if (codes) mark(found, codes, fitting(names, text));
  return found;
}

/** Names in small letters, made once: a user may give each sample its own. */
const small = new WeakMap<readonly string[], string[]>();

function fitting(names: readonly string[], text: string): Uint8Array {
  const lower = small.get(names) ?? names.map((name) => name.toLowerCase());
  small.set(names, lower);
  const fits = new Uint8Array(names.length);
  for (let k = 0; k < fits.length; k++) if (lower[k]?.includes(text)) fits[k] = 1;
  return fits;
}

function mark(found: Uint8Array, codes: ArrayLike<number>, fits: Uint8Array): void {
  if (!fits.includes(1)) return;
  for (let i = 0; i < found.length; i++) if (fits[codes[i] as number]) found[i] = 1;
}
