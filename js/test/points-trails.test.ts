/** Trails: what the block says, where the strokes lie, how they fade. */

import { expect, test } from "vitest";
import { IDENTITY } from "../src/blocks/points/camera.ts";
import { type Moment, type Trails, drawStrokes, readTrails, strokesOf } from "../src/blocks/points/trails.ts";
import { SIZE, block } from "./points-clouds.ts";
import { type Call, recordingContext } from "./host.ts";

const COLORS = Uint8Array.from([1, 2, 3, 0, 9, 9, 9, 0, 4, 5, 6, 0]);
const CAMERA = { ...IDENTITY, scale: 100 };
/** Rows 2 and 0 over three maps; the middle of the canvas is at (200, 150). */
const TRAILS: Trails = {
  maps: 3,
  rows: [2, 0],
  points: Float32Array.from([0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0]),
};

/** Of points that are now there, in units of the cloud. */
const moment = (points: Float32Array, over: Partial<Moment> = {}): Moment => ({
  points,
  unit: 1,
  colors: COLORS,
  camera: CAMERA,
  size: SIZE,
  hides: () => false,
  ...over,
});

test("trails come in data units, flat ones with z = 0, and are none where nothing was sent", () => {
  const trails = { shape: [1, 2, 2], data: Int16Array.from([32000, 0, -16000, 8000]) };
  const trail_rows = { shape: [2], data: Int32Array.from([4, 1]) };
  const read = readTrails({ ...block([0, 0]), trails, trail_rows, trails_unit: 2 });
  expect(Array.from(read!.points)).toEqual([2, 0, 0, -1, 0.5, 0]);
  expect(Array.from(read!.rows)).toEqual([4, 1]);
  expect(readTrails(block([0, 0]))).toBeNull();
});

test("strokes go from map to map in the colours of the points, clearer towards now, and end at the point", () => {
  const now = Float32Array.from([0, 1, 0, 0, 0, 0, 0.5, 0.5, 0]);
  const strokes = strokesOf(TRAILS, moment(now));
  expect(strokes.map(({ color, lines }) => [color, lines])).toEqual([
    ["rgb(4 5 6)", [200, 150, 300, 150]],
    ["rgb(1 2 3)", [200, 50, 200, 50]],
    ["rgb(4 5 6)", [300, 150, 250, 100]],
    ["rgb(1 2 3)", [200, 50, 200, 50]],
  ]);
  const alphas = strokes.map(({ alpha }) => alpha);
  expect(alphas).toEqual([...alphas].sort());
  expect(alphas[0]).toBeLessThan(alphas[3]!);
});

test("points that are hidden leave no trail, and points of one colour share a stroke", () => {
  const now = new Float32Array(9);
  const rows = strokesOf(TRAILS, moment(now, { hides: (row) => row === 2 })).map(({ color }) => color);
  expect(rows).toEqual(["rgb(1 2 3)", "rgb(1 2 3)"]);
  const same = strokesOf(TRAILS, moment(now, { colors: new Uint8Array(12) }));
  expect(same.map(({ lines }) => lines.length)).toEqual([8, 8]);
});

test("a turned camera projects trails as it does points, in the units of the cloud", () => {
  const turned = { ...CAMERA, yaw: Math.PI / 2 };
  const deep = { ...TRAILS, rows: [0], points: Float32Array.from([0, 0, 1, 0, 0, 0, 0, 0, 0]) };
  const [stroke] = strokesOf(deep, moment(new Float32Array(3), { unit: 0.5, camera: turned }));
  expect(stroke!.lines.map(Math.round)).toEqual([400, 150, 200, 150]);
});

test("one map is no way", () => {
  const one = { maps: 1, rows: [0], points: new Float32Array(3) };
  expect(strokesOf(one, moment(new Float32Array(3)))).toEqual([]);
});

test("lines are drawn as they are told, and the context is left clear", () => {
  const calls: Call[] = [];
  drawStrokes(recordingContext(calls), [{ color: "rgb(1 2 3)", alpha: 0.25, lines: [1, 2, 3, 4] }]);
  expect(calls).toContainEqual(["strokeStyle =", "rgb(1 2 3)"]);
  expect(calls).toContainEqual(["moveTo", 1, 2]);
  expect(calls).toContainEqual(["lineTo", 3, 4]);
  expect(calls.filter(([name]) => name === "globalAlpha =").map(([, value]) => value)).toEqual([0.25, 1]);
});
