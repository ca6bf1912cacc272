/** A view's blocks as the page knows them, from what each picture says has changed. Knows data only. */

import type { BlockData } from "../blocks/block.ts";
import type { BlockDelta } from "./header.ts";
import type { NdArray } from "./wire.ts";

export interface PlacedBlock {
  row: number;
  data: BlockData;
}

type Arrays = Record<string, NdArray>;

/**
 * The blocks of `deltas`, each on top of what `before` knows of it. A block that did not change keeps its `data` object.
 * Null when a change comes to a block that is not known here, as its earlier picture was missed.
 */
export function mergeBlocks(
  before: readonly PlacedBlock[],
  deltas: readonly BlockDelta[],
  arrays: Arrays,
): PlacedBlock[] | null {
  const known = new Map(before.map(({ data }) => [data.key, data]));
  const ours = new Map<string, Arrays>();
  for (const [name, array] of Object.entries(arrays)) {
    const at = name.lastIndexOf("/");
    const key = name.slice(0, at);
    ours.set(key, { ...ours.get(key), [name.slice(at + 1)]: array });
  }
  const after: PlacedBlock[] = [];
  for (const delta of deltas) {
    const { key, kind, row, whole = false, fields = {}, gone = [] } = delta;
    const base = whole ? { kind, key, title: "", note: "" } : known.get(key);
    if (base?.kind !== kind) return null;
    const changes = { ...fields, ...ours.get(key) };
    const same = !whole && gone.length === 0 && Object.keys(changes).length === 0;
    after.push({ row, data: same ? base : { ...without(base, gone), ...changes, kind, key } });
  }
  return after;
}

function without(data: BlockData, gone: readonly string[]): BlockData {
  const kept: BlockData & Record<string, unknown> = { ...data };
  for (const name of gone) delete kept[name];
  return { ...kept, title: kept.title ?? "", note: kept.note ?? "" };
}
