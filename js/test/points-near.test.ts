/** Lines from the sample looked at to those near it. */

import { expect, test } from "vitest";
import { IDENTITY } from "../src/blocks/points/camera.ts";
import { spokesOf } from "../src/blocks/points/trails.ts";
import { Underlay } from "../src/blocks/points/underlay.ts";
import { SIZE } from "./points-clouds.ts";

test("lines lead from the sample to those near it, and not to hidden ones or ones beside the map", () => {
  const points = Float32Array.from([0, 0, 0, 1, 0, 0, 0, -1, 0]);
  const camera = { ...IDENTITY, scale: 100 };
  const spokes = spokesOf(0, [1, 2], points, camera, SIZE, "blue");
  expect(spokes.lines).toEqual([200, 150, 300, 150, 200, 150, 200, 250]);
  const underlay = new Underlay();
  [underlay.sample, underlay.near] = [0, [1, 2, -1]];
  const moment = { points, unit: 1, colors: new Uint8Array(12), camera, size: SIZE, hides: (row: number) => row === 1 };
  expect(underlay.strokes(moment, "blue")).toMatchObject([{ color: "blue", lines: [200, 150, 200, 250] }]);
  underlay.sample = -1;
  expect(underlay.strokes(moment, "blue")).toEqual([]);
});
