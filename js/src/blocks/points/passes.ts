/**
 * What a renderer of points is given: order and style of the marks, points, camera, colours. There are two renderers:
 * WebGL2, and the processor where there is no graphics card. Pure.
 */

import type { Rgb } from "../../kernel/color.ts";
import type { Camera, Size } from "./camera.ts";
import { type Cloud, type Showing, ringed } from "./cloud.ts";

/** One layer of equal discs or rings. Lengths are CSS px; the line is centred on the radius. */
export interface Pass {
  readonly name: "specks" | "points" | "rings" | "selected rings" | "selected" | "found" | "found rings";
  readonly members: Uint32Array;
  readonly radius: number;
  /** The part of the radius that grows with the point's own size. */
  readonly sized: number;
  readonly line: number;
  /** "each": every point's own colour. */
  readonly fill: "each" | "grey" | "none";
  readonly stroke: "ground" | "ink" | "brand";
  readonly alpha: number;
}

export const SIZE_UNIT = 0.01;

export interface Scene {
  /** Targets of the running move, n × 3, and where it began; `share` is how much of the way is done. */
  readonly from: Float32Array;
  readonly to: Float32Array;
  readonly share: number;
  readonly camera: Camera;
  readonly size: Size;
  readonly pixelRatio: number;
  /** n × 4 bytes: red, green, blue, and by how many `SIZE_UNIT` the radius is multiplied. */
  readonly colors: Uint8Array;
  readonly ink: Rgb;
  readonly brand: Rgb;
  readonly ground: Rgb;
  /** This array and those above are never written to, only replaced, so that a renderer uploads each one once. */
  readonly passes: readonly Pass[];
}

/** The colour of a pass's lines. */
export function strokeOf(pass: Pass, scene: Scene): Rgb {
  return { ink: scene.ink, brand: scene.brand, ground: scene.ground }[pass.stroke];
}

/** The radius of a point in a pass, CSS px. */
export function radiusIn(pass: Pass, scene: Scene, row: number): number {
  return pass.radius + pass.sized * ((scene.colors[4 * row + 3] as number) * SIZE_UNIT - 1);
}

export interface PointRenderer {
  readonly kind: "webgl2" | "2d";
  draw(scene: Scene): void;
  dispose?(): void;
}

const REST_ALPHA = 0.5;
const MOST_ROWS = 2 ** 21;

/** Radius of a point: smaller where there is little room or much to show. */
export function pointRadius(n: number, canvasHeight: number): number {
  if (n > 10_000 || canvasHeight < 240) return 1.5;
  return canvasHeight < 320 ? 2 : 2.75;
}

/** Draw order: hidden, points, found, selected by rising loss, each with its rings, unless too many are wrong. `standing` as `standings` tells. */
export function buildPasses(cloud: Cloud, showing: Showing, standing: Uint8Array, radius: number): Pass[] {
  const [specks, points, rings]: [number[], number[], number[]] = [[], [], []];
  const [found, foundRings, selected]: [number[], number[], number[]] = [[], [], []];
  let wrong = 0;
  for (let i = 0; i < cloud.n; i++) if (cloud.wrong[i]) wrong += 1;
  const rung = ringed(wrong, cloud.n) ? cloud.wrong : null;
  for (let i = 0; i < cloud.n; i++) {
    const isFound = showing.found?.[i] === 1;
    const isSelected = showing.selected.has(cloud.indices[i] as number);
    if (isFound) foundRings.push(i);
    if (isFound && !isSelected) found.push(i);
    else if (standing[i] === 0 && !isFound) specks.push(i);
    else if (isSelected) selected.push(i);
    else {
      points.push(i);
      if (rung?.[i]) rings.push(i);
    }
  }
  const ordered = byRising(cloud.loss, selected);
  const alpha = showing.selected.size > 0 || showing.found ? REST_ALPHA : 1;
  const ring = { radius: radius + 2.75, sized: radius, line: 1.25, fill: "none", stroke: "ink" } as const;
  const point = { radius, sized: radius, line: 0.75, fill: "each", stroke: "ground" } as const;
  const speck = { radius: 1.5, sized: 0, line: 0, fill: "grey", stroke: "ground" } as const;
  const passes: Pass[] = [
    { name: "specks", members: Uint32Array.from(specks), ...speck, alpha: 0.16 },
    { name: "points", members: Uint32Array.from(points), ...point, alpha },
    { name: "rings", members: Uint32Array.from(rings), ...ring, alpha },
    { name: "found", members: Uint32Array.from(found), ...point, alpha: 1 },
    { name: "selected", members: ordered, ...point, radius: radius + 1.25, line: 1, stroke: "ink", alpha: 1 },
    { name: "selected rings", members: ordered.filter((i) => rung?.[i]), ...ring, alpha: 1 },
    { name: "found rings", members: Uint32Array.from(foundRings), ...ring, line: 2, stroke: "brand", alpha: 1 },
  ];
  return passes.filter((pass) => pass.members.length > 0);
}

/** Rows by their values, rising, without a value first; equals in the order of rows. */
function byRising(values: ArrayLike<number>, rows: readonly number[]): Uint32Array {
  // Numbers that sort as they are need no comparing function, which takes a second for 70 000 rows: the bits of a
  // float that is not negative rise with it, and a row fits below them.
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  const keys = new Float64Array(rows.length);
  rows.forEach((row, k) => {
    const value = values[row] as number;
    float[0] = Math.abs(value);
    keys[k] = (Number.isFinite(value) ? (bits[0] as number) + 1 : 0) * MOST_ROWS + row;
  });
  keys.sort();
  const ordered = new Uint32Array(rows.length);
  for (let k = 0; k < ordered.length; k++) ordered[k] = (keys[k] as number) % MOST_ROWS;
  return ordered;
}

/** The members of a pass from far to near (counting sort over 256 depths), for a turned 3-D cloud. */
export function farToNear(members: Uint32Array, nearness: Float32Array): Uint32Array {
  let low = Infinity;
  let high = -Infinity;
  for (const i of members) {
    const near = nearness[i] as number;
    if (near < low) low = near;
    if (near > high) high = near;
  }
  if (!(high > low)) return members;
  const bucket = (i: number): number => Math.floor((((nearness[i] as number) - low) / (high - low)) * 255);
  const starts = new Uint32Array(257);
  for (const i of members) starts[bucket(i) + 1] = (starts[bucket(i) + 1] as number) + 1;
  for (let b = 0; b < 256; b++) starts[b + 1] = (starts[b + 1] as number) + (starts[b] as number);
  const out = new Uint32Array(members.length);
  for (const i of members) {
    const b = bucket(i);
    const slot = starts[b] as number;
    out[slot] = i;
    starts[b] = slot + 1;
  }
  return out;
}
