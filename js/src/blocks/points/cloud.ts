/** The points of one map as the block uses them: positions, classes, and which of them can be seen and hit. No DOM. */

import { MOST_GROUPS, MOST_RINGED } from "../../kernel/looks.ts";
import type { NdArray } from "../../kernel/wire.ts";
import type { PointsBlock } from "../types.ts";

export interface ClassEntry {
  name: string;
  n: number;
  wrong: number;
}

export const NO_CLASS = -1;
/** Above this many classes only those picked in the legend get their colour. */
export const MANY_CLASSES = MOST_GROUPS;
/** Positions travel as int16, ±32 000 for ±1. */
export const POSITION_UNIT = 1 / 32000;

export interface Cloud {
  readonly n: number;
  readonly dims: number;
  /** n × 3, z = 0 in a flat map. */
  readonly positions: Float32Array;
  readonly labels: ArrayLike<number>;
  readonly wrong: ArrayLike<number>;
  /** Dataset index of every row. */
  readonly indices: ArrayLike<number>;
  readonly loss: ArrayLike<number>;
  /** The predicted class and its probability. */
  readonly predicted: ArrayLike<number>;
  readonly confidence: ArrayLike<number>;
  readonly classes: readonly ClassEntry[];
  readonly predictedNames: readonly string[];
  readonly unit: number;
}

/** The fields that a cloud is made of: while these stay the same, so does the cloud. */
const PARTS = ["positions", "samples", "labels", "predicted", "confidence", "loss", "class_names"] as const;
export const sameCloud = (a: PointsBlock, b: PointsBlock | null): boolean => PARTS.every((name) => a[name] === b?.[name]);

/** The cloud of a block; arrays that did not come are filled with "none". */
export function readCloud(data: Pick<PointsBlock, (typeof PARTS)[number] | "unit">): Cloud {
  const [n = 0, dims = 2] = data.positions.shape;
  const positions = triples(data.positions, dims, POSITION_UNIT);
  const codes = (raw: NdArray | undefined): ArrayLike<number> => raw?.data ?? new Int16Array(n).fill(NO_CLASS);
  const numbers = (raw: NdArray | undefined): ArrayLike<number> => raw?.data ?? new Float32Array(n).fill(Number.NaN);
  const [labels, predicted] = [codes(data.labels), codes(data.predicted)];
  const wrong = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    const [label, taken] = [labels[i] as number, predicted[i] as number];
    if (label !== taken && label !== NO_CLASS && taken !== NO_CLASS) wrong[i] = 1;
  }
  return {
    n,
    dims,
    positions,
    labels,
    wrong,
    indices: data.samples.data,
    loss: numbers(data.loss),
    predicted,
    confidence: numbers(data.confidence),
    classes: tally(labels, wrong, namesOf(labels, data.class_names)),
    predictedNames: namesOf(predicted, data.class_names),
    unit: data.unit,
  };
}

const NOTHING: NdArray = { shape: [0, 2], data: new Int16Array(0) };
export const EMPTY_CLOUD = readCloud({ positions: NOTHING, samples: NOTHING, class_names: [], unit: 1 });

/** Points of two or three axes as triples, each value times `unit`. */
export function triples({ data }: NdArray, dims: number, unit: number): Float32Array {
  const n = data.length / dims;
  const out = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) for (let axis = 0; axis < dims; axis++) out[3 * i + axis] = (data[i * dims + axis] as number) * unit;
  return out;
}

/** Names up to the last class among the codes. */
function namesOf(codes: ArrayLike<number>, names: readonly string[]): readonly string[] {
  let last = NO_CLASS;
  for (let i = 0; i < codes.length; i++) if ((codes[i] as number) > last) last = codes[i] as number;
  return Array.from({ length: last + 1 }, (_, k) => names[k] ?? String(k));
}

/** The legend's entries: how many rows each group has, and how many of them are wrong. */
export function tally(codes: ArrayLike<number>, wrong: ArrayLike<number>, names: readonly string[]): ClassEntry[] {
  const entries = names.map((name) => ({ name, n: 0, wrong: 0 }));
  for (let i = 0; i < codes.length; i++) {
    const entry = entries[codes[i] as number];
    if (!entry) continue;
    entry.n += 1;
    if (wrong[i]) entry.wrong += 1;
  }
  return entries;
}

/** Whether rings round so many wrong ones of `n` points still show something: fewer than 15 %. */
export const ringed = (wrong: number, n: number): boolean => wrong < MOST_RINGED * n;

/** Which points are highlighted: by the legend's switches, "only wrong", the selection and the search. */
export interface Showing {
  /** Per class: shown, or with many classes picked. */
  readonly on: readonly boolean[];
  readonly onlyWrong: boolean;
  /** Dataset indices. */
  readonly selected: ReadonlySet<number>;
  /** Per row: 1 where a search found it; null without a search. */
  readonly found: Uint8Array | null;
}

/** How each point is shown: 0 as a speck, 1 in plain grey (class not picked, or none), 2 in its class's colour. */
export function standings(cloud: Cloud, showing: Showing): Uint8Array {
  const many = picks(cloud.classes.length);
  const out = new Uint8Array(cloud.n);
  for (let i = 0; i < cloud.n; i++) {
    const label = cloud.labels[i] as number;
    if (showing.onlyWrong && !cloud.wrong[i]) continue;
    if (label === NO_CLASS) out[i] = 1;
    else out[i] = showing.on[label] !== false ? 2 : many ? 1 : 0;
  }
  return out;
}

/** Switches of a legend that starts fresh: all shown, or with many classes none picked. */
export function freshSwitches(count: number): boolean[] {
  return new Array<boolean>(count).fill(count <= MANY_CLASSES);
}

/** Whether only picked ones of so many groups have a colour. */
export const picks = (count: number): boolean => count > MANY_CLASSES;

/**
 * Which of so many colours each group has: its own in turn. Of many groups those that are picked have different ones, as
 * long as there are enough: one whose colour a group before it has takes the first that is left.
 */
export function slotsOf(on: readonly boolean[], colors: number): number[] {
  const slots = on.map((_, k) => k % colors);
  if (!picks(on.length)) return slots;
  const left = new Set(slots);
  const late = slots.flatMap((slot, k) => (on[k] && !left.delete(slot) ? [k] : []));
  for (const k of late) {
    const [first] = left;
    if (first === undefined) break;
    left.delete(first);
    slots[k] = first;
  }
  return slots;
}

/** After a double click: this class alone; when it already was, as at the start. */
export function alone(on: readonly boolean[], index: number): boolean[] {
  const already = on.every((value, i) => value === (i === index));
  return already ? freshSwitches(on.length) : on.map((_, i) => i === index);
}
