/** What lies under the points: trails of the selected, lines from the sample looked at to those nearest to it. */

import { prepareCanvas } from "../../kernel/canvas.ts";
import { make } from "../../kernel/dom.ts";
import type { Camera, Size } from "./camera.ts";
import { type Stroke, type Trails, drawStrokes, spokesOf, strokesOf } from "./trails.ts";

/** Where the points are at a moment, and how they look. */
export interface Moment {
  /** n × 3 in units of the cloud, each `unit` of the data. */
  readonly points: Float32Array;
  readonly unit: number;
  readonly colors: Uint8Array;
  readonly camera: Camera;
  readonly size: Size;
  hides(row: number): boolean;
}

export class Underlay {
  readonly canvas = make("canvas", "nnw-points-trails");
  trails: Trails | null = null;
  /** Rows, -1 for none. */
  sample = -1;
  near: readonly number[] = [];

  strokes(moment: Moment, brand: string): Stroke[] {
    const { points, unit, colors, camera, size, hides } = moment;
    const near = this.near.filter((row) => row >= 0 && !hides(row));
    const spokes = this.sample < 0 ? [] : [spokesOf(this.sample, near, points, camera, size, brand)];
    const ways = this.trails ? strokesOf(this.trails, points, unit, colors, camera, size, hides) : [];
    return [...spokes, ...ways];
  }

  draw(strokes: readonly Stroke[], size: Size): void {
    const context = prepareCanvas(this.canvas, size.width, size.height);
    if (context) drawStrokes(context, strokes);
  }
}
