/** The data of one map as the view uses it, and what of it can be seen and hit. Knows the wire's arrays; no DOM. */

import type { CommonHeader } from "../kernel/panel.ts";
import type { Frame, NdArray } from "../kernel/wire.ts";

export interface ClassEntry {
  name: string;
  n: number;
  wrong: number;
}

export interface StripEntry {
  index: number;
  label: string;
  predicted: string;
  loss: number | null;
}

export interface EmbeddingHeader extends CommonHeader {
  classes: ClassEntry[];
  n: number;
  dims: number;
  method: string;
  counts: { wrong: number };
  /** Places of the slider: each has the position of its map in the history, which thinning does not move. */
  kept: { index: number; positions: number[]; text: string } | null;
  /** Data units of a place that is 1 in the cloud. */
  unit: number;
  /** Names of the classes up to the last that is predicted. */
  predicted_names: string[];
}

/** Of the channel "selection": what is selected comes as an array, the first of it as a strip. */
export interface SelectionHeader extends CommonHeader {
  strip: StripEntry[];
}

export const NO_CLASS = 65535;
/** Above this many classes colours repeat too often: only classes picked in the legend get theirs. */
export const MANY_CLASSES = 20;
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
  /** Class that the model takes a sample for, and its probability. */
  readonly predicted: ArrayLike<number>;
  readonly confidence: ArrayLike<number>;
  readonly classes: readonly ClassEntry[];
  readonly predictedNames: readonly string[];
  readonly unit: number;
}

export const EMPTY_CLOUD: Cloud = {
  n: 0,
  dims: 2,
  positions: new Float32Array(0),
  labels: [],
  wrong: [],
  indices: [],
  loss: [],
  predicted: [],
  confidence: [],
  classes: [],
  predictedNames: [],
  unit: 1,
};

/** The cloud of a picture frame; arrays that did not come are filled with "none". */
export function readCloud(frame: Frame<EmbeddingHeader>): Cloud | null {
  const raw: NdArray | undefined = frame.arrays["positions"];
  if (!raw) return null;
  const [n = 0, dims = 2] = raw.shape;
  const positions = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) {
    for (let axis = 0; axis < dims; axis++)
      positions[3 * i + axis] = (raw.data[i * dims + axis] as number) * POSITION_UNIT;
  }
  return {
    n,
    dims,
    positions,
    labels: frame.arrays["labels"]?.data ?? new Uint16Array(n).fill(NO_CLASS),
    wrong: frame.arrays["wrong"]?.data ?? new Uint8Array(n),
    indices: frame.arrays["indices"]?.data ?? Int32Array.from({ length: n }, (_, i) => i),
    loss: frame.arrays["loss"]?.data ?? new Float32Array(n).fill(Number.NaN),
    predicted: frame.arrays["predicted"]?.data ?? new Uint16Array(n).fill(NO_CLASS),
    confidence: frame.arrays["confidence"]?.data ?? new Float32Array(n).fill(Number.NaN),
    classes: frame.header.classes ?? [],
    predictedNames: frame.header.predicted_names ?? [],
    unit: frame.header.unit ?? 1,
  };
}

/** Which points stand out: the legend's switches, "only wrong", the selection and what a search found. */
export interface Showing {
  /** Per class: shown, or with many classes picked. */
  readonly on: readonly boolean[];
  readonly onlyWrong: boolean;
  /** Dataset indices. */
  readonly selected: ReadonlySet<number>;
  /** Per row: 1 where a search found it; null without a search. */
  readonly found: Uint8Array | null;
}

/** How a point is shown: 0 as a speck, 1 in plain grey (class not picked, or none), 2 in its class's colour. */
export type Standing = 0 | 1 | 2;

export function standings(cloud: Cloud, showing: Showing): Uint8Array {
  const many = cloud.classes.length > MANY_CLASSES;
  const out = new Uint8Array(cloud.n);
  for (let i = 0; i < cloud.n; i++) {
    const label = cloud.labels[i] as number;
    const standing: Standing = label === NO_CLASS ? 1 : showing.on[label] === false ? (many ? 1 : 0) : 2;
    out[i] = showing.onlyWrong && !cloud.wrong[i] ? 0 : standing;
  }
  return out;
}

/** Switches of a legend that starts fresh: all shown, or with many classes none picked. */
export function freshSwitches(count: number): boolean[] {
  return new Array<boolean>(count).fill(count <= MANY_CLASSES);
}

/** After a double click: this class alone; when it already was, as at the start. */
export function alone(on: readonly boolean[], index: number): boolean[] {
  const already = on.every((value, i) => value === (i === index));
  return already ? freshSwitches(on.length) : on.map((_, i) => i === index);
}
