/** What a renderer of points is given. There are two: WebGL2, and the processor where there is no graphics card. */

import type { Rgb } from "../../kernel/color.ts";
import type { Camera, Size } from "./camera.ts";
import type { Pass } from "./passes.ts";

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
