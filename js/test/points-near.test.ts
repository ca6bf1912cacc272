/** Lines from the sample looked at to those near it. */

import { expect, test } from "vitest";
import { IDENTITY } from "../src/blocks/points/camera.ts";
import { spokesOf, strokesUnder } from "../src/blocks/points/trails.ts";
import { SIZE } from "./points-clouds.ts";

test("lines lead from the sample to those near it, and not to hidden ones or ones beside the map", () => {
  const points = Float32Array.from([0, 0, 0, 1, 0, 0, 0, -1, 0]);
  const camera = { ...IDENTITY, scale: 100 };
  const moment = { points, unit: 1, colors: new Uint8Array(12), camera, size: SIZE, hides: (row: number) => row === 1 };
  expect(spokesOf(0, [1, 2], moment, "blue").lines).toEqual([200, 150, 300, 150, 200, 150, 200, 250]);
  expect(strokesUnder(null, 0, [1, 2, -1], moment, "blue")).toMatchObject([{ color: "blue", lines: [200, 150, 200, 250] }]);
  expect(strokesUnder(null, -1, [1, 2, -1], moment, "blue")).toEqual([]);
});
