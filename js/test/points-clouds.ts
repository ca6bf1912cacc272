/** Made-up point clouds for the tests of the points block. */

import type { PointsBlock } from "../src/blocks/types.ts";
import { type Cloud, NO_CLASS, type Showing, freshSwitches } from "../src/blocks/points/cloud.ts";

/** A small generator, so that every run draws the same numbers. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Points as triples in −1 … 1; in two dimensions the third is 0. */
export function randomPoints(n: number, dims: number, seed = 1): Float32Array {
  const random = seeded(seed);
  return Float32Array.from({ length: 3 * n }, (_, k) => (k % 3 < dims ? random() * 2 - 1 : 0));
}

/** What Python sends of flat points at these places (x, y, …), in 32 000ths; row i is sample 100 + i. */
export function block(positions: number[], over: Partial<PointsBlock> = {}): PointsBlock {
  const n = positions.length / 2;
  const head = { kind: "points", key: "points", title: "", note: "" } as const;
  return {
    ...head,
    positions: { shape: [n, 2], data: Int16Array.from(positions) },
    unit: 1,
    samples: { shape: [n], data: Int32Array.from({ length: n }, (_, i) => 100 + i) },
    class_names: [],
    columns: [],
    color: "class",
    size: "equal",
    trails_unit: 1,
    ...over,
  };
}

/** Random points in a plane with these classes, none wrong, no loss; row i is sample 100 + i. */
export function makeCloud(labels: number[], over: Partial<Cloud> = {}): Cloud {
  const n = labels.length;
  const classes = Array.from({ length: Math.max(...labels.filter((each) => each !== NO_CLASS), -1) + 1 }, (_, k) => ({
    name: String(k),
    n: labels.filter((each) => each === k).length,
    wrong: 0,
  }));
  return {
    n,
    dims: 2,
    positions: randomPoints(n, 2),
    labels,
    wrong: new Uint8Array(n),
    indices: Array.from({ length: n }, (_, i) => 100 + i),
    loss: new Float32Array(n),
    predicted: new Int16Array(n).fill(NO_CLASS),
    confidence: new Float32Array(n).fill(Number.NaN),
    classes,
    predictedNames: [],
    unit: 1,
    ...over,
  };
}

/** Of a canvas, in CSS px. */
export const SIZE = { width: 400, height: 300 };

/** Every class on, with these samples selected. */
export const all = (cloud: Cloud, selected: number[] = []): Showing => ({
  on: freshSwitches(cloud.classes.length),
  onlyWrong: false,
  selected: new Set(selected),
  found: null,
});
