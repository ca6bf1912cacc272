import { describe, expect, test } from "vitest";
import { type Camera, IDENTITY, between, fit, orbit, pan, project, rotation, zoomAt } from "../src/blocks/points/camera.ts";
import { Motion, TWEEN_MS, cubicOut, startPositions } from "../src/blocks/points/motion.ts";
import { PickGrid, combine, nearestTowards, rowsInside } from "../src/blocks/points/picking.ts";
import { SIZE, randomPoints, seeded } from "./points-clouds.ts";

describe("the camera", () => {
  test("a fitted map is on the canvas, keeps equal scales and touches the margin on one axis", () => {
    const points = randomPoints(200, 2);
    const xy = new Float32Array(400);
    project(points, fit(points, 2, SIZE), SIZE, xy);
    const xs = Array.from(xy).filter((_, k) => k % 2 === 0);
    const ys = Array.from(xy).filter((_, k) => k % 2 === 1);
    expect(Math.min(...xs)).toBeGreaterThanOrEqual(21.9);
    expect(Math.max(...xs)).toBeLessThanOrEqual(378.1);
    expect(Math.min(...ys)).toBeCloseTo(22, 1);
    expect(Math.max(...ys)).toBeCloseTo(278, 1);
    const across = (xs[1]! - xs[0]!) / (points[3]! - points[0]!);
    const down = (ys[1]! - ys[0]!) / (points[4]! - points[1]!);
    expect(across).toBeCloseTo(-down, 2);
  });

  test("points all in one place do not blow the scale up to infinity", () => {
    const camera = fit(new Float32Array(9), 2, SIZE);
    expect(Number.isFinite(camera.scale)).toBe(true);
  });

  test("no orbit takes a fitted 3-D cloud off the canvas", () => {
    const points = randomPoints(300, 3);
    let camera = fit(points, 3, SIZE);
    for (let turn = 0; turn < 12; turn++) {
      camera = orbit(camera, 67, 31);
      const xy = new Float32Array(600);
      project(points, camera, SIZE, xy);
      const outside = Array.from(xy).filter((at, k) => at <= 0 || at >= (k % 2 ? SIZE.height : SIZE.width));
      expect(outside).toEqual([]);
    }
  });

  test("zoom keeps the point under the pointer where it is", () => {
    const points = randomPoints(5, 2);
    const camera = pan(fit(points, 2, SIZE), 13, -7);
    const [before, after] = [new Float32Array(10), new Float32Array(10)];
    project(points, camera, SIZE, before);
    const zoomed = zoomAt(camera, 3, before[4]!, before[5]!, SIZE);
    project(points, zoomed, SIZE, after);
    expect(after[4]).toBeCloseTo(before[4]!, 3);
    expect(after[5]).toBeCloseTo(before[5]!, 3);
    expect(after[0]! - after[4]!).toBeCloseTo(3 * (before[0]! - before[4]!), 2);
  });

  test("a rotation is orthonormal, and nearer points are magnified", () => {
    const camera: Camera = { ...IDENTITY, yaw: 0.7, pitch: -0.4, perspective: 0.25 };
    const r = rotation(camera);
    for (const i of [0, 1, 2]) {
      for (const j of [0, 1, 2]) {
        const dot = [0, 1, 2].reduce((sum, k) => sum + r[3 * i + k]! * r[3 * j + k]!, 0);
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 12);
      }
    }
    const nearness = new Float32Array(2);
    const front = [r[6], r[7], r[8]];
    const points = Float32Array.from([...front, ...front.map((v) => -v)]);
    project(points, camera, SIZE, new Float32Array(4), nearness);
    expect(nearness[0]).toBeCloseTo(1 / 0.75, 5);
    expect(nearness[1]).toBeCloseTo(1 / 1.25, 5);
  });

  test("half way between two zooms is their geometric mean", () => {
    expect(between(IDENTITY, { ...IDENTITY, scale: 16 }, 0.5).scale).toBeCloseTo(4, 9);
  });
});

describe("moving", () => {
  test("cubic-out starts fast, ends at one and stays there", () => {
    expect(cubicOut(0)).toBe(0);
    expect(cubicOut(0.5)).toBeCloseTo(0.875, 12);
    expect(cubicOut(7)).toBe(1);
  });

  test("points are followed by identity, and new ones start at their target", () => {
    const now = Float32Array.from([1, 1, 0, 2, 2, 0]);
    const next = Float32Array.from([7, 7, 0, 8, 8, 0, 9, 9, 0]);
    expect(Array.from(startPositions([10, 20], now, [20, 30, 10], next))).toEqual([2, 2, 0, 8, 8, 0, 1, 1, 0]);
  });

  test("an interrupted move goes on from where the points are", () => {
    const motion = new Motion();
    motion.move([1], Float32Array.from([0, 0, 0]), IDENTITY, 0, false);
    motion.move([1], Float32Array.from([8, 0, 0]), IDENTITY, 1000, false);
    const half = 1000 + TWEEN_MS / 2;
    const reached = motion.positions(half)[0]!;
    expect(reached).toBeCloseTo(7, 5);
    motion.move([1], Float32Array.from([0, 4, 0]), IDENTITY, half, false);
    expect(motion.positions(half)[0]).toBeCloseTo(reached, 5);
    expect(Array.from(motion.positions(half + TWEEN_MS))).toEqual([0, 4, 0]);
  });

  test("with reduced motion points are at their places at once", () => {
    const motion = new Motion();
    motion.move([1], Float32Array.from([0, 0, 0]), IDENTITY, 0, false);
    motion.move([1], Float32Array.from([8, 0, 0]), IDENTITY, 1000, true);
    expect(motion.running(1000)).toBe(false);
    expect(motion.positions(1000)[0]).toBe(8);
  });
});

const goesRound = (x: number, y: number, polygon: number[]): boolean =>
  rowsInside(Float32Array.from([x, y]), Uint8Array.from([1]), polygon).length === 1;

describe("picking", () => {
  const random = seeded(4);
  const xy = Float32Array.from({ length: 1000 }, (_, k) => random() * (k % 2 ? SIZE.height : SIZE.width));
  const pickable = Uint8Array.from({ length: 500 }, (_, i) => (i % 7 ? 1 : 0));
  const grid = new PickGrid(xy, pickable, SIZE.width, SIZE.height);

  test("the grid finds what a plain search finds", () => {
    for (let trial = 0; trial < 200; trial++) {
      const [x, y] = [random() * SIZE.width, random() * SIZE.height];
      let best = -1;
      let least = 100;
      for (let i = 0; i < 500; i++) {
        const distance = (xy[2 * i]! - x) ** 2 + (xy[2 * i + 1]! - y) ** 2;
        if (pickable[i] && distance < least) [least, best] = [distance, i];
      }
      expect(grid.nearest(x, y, 10)).toBe(best);
    }
  });

  test("it counts the points of a rectangle, hidden ones not", () => {
    let expected = 0;
    for (let i = 0; i < 500; i++) {
      const [x, y] = [xy[2 * i]!, xy[2 * i + 1]!];
      if (pickable[i] && x >= 50 && x <= 210 && y >= 33 && y <= 180) expected += 1;
    }
    expect(grid.count(50, 33, 210, 180)).toBe(expected);
  });

  test("of two points in one place the one drawn last is hit", () => {
    const twice = new PickGrid(Float32Array.from([5, 5, 5, 5]), Uint8Array.from([1, 1]), 10, 10);
    expect(twice.nearest(5, 5, 3)).toBe(1);
  });

  test("points off the canvas are neither hit nor a fault", () => {
    const outside = new PickGrid(Float32Array.from([-5, 5, Number.NaN, 2]), Uint8Array.from([1, 1]), 10, 10);
    expect(outside.nearest(0, 5, 9)).toBe(-1);
  });

  test("a lasso takes all that it goes round, also where it crosses itself", () => {
    const twice = [0, 0, 10, 0, 10, 10, 0, 10, 0, 0, 3, 3, 7, 3, 7, 7, 3, 7, 3, 3];
    expect(goesRound(1, 1, twice)).toBe(true);
    expect(goesRound(5, 5, twice)).toBe(true);
    expect(goesRound(11, 5, twice)).toBe(false);
    const eight = [0, 0, 10, 10, 10, 0, 0, 10];
    expect([2, 8].map((x) => goesRound(x, 5, eight))).toEqual([true, true]);
    expect([2, 8].map((y) => goesRound(5, y, eight))).toEqual([false, false]);
  });

  test("of marks one behind the other the one in front is hit, wherever on it", () => {
    const overlapping = new PickGrid(Float32Array.from([20, 20, 23, 20]), Uint8Array.from([1, 1]), 40, 40);
    expect(overlapping.frontmost(22, 20, 10, () => 3, Float32Array.from([1.2, 0.9]))).toBe(0);
    expect(overlapping.frontmost(22, 20, 10, () => 3, Float32Array.from([0.9, 1.2]))).toBe(1);
    expect(overlapping.frontmost(25, 20, 10, () => 3, Float32Array.from([1.2, 0.9]))).toBe(1);
    expect(overlapping.frontmost(30, 20, 10, () => 3, Float32Array.from([1.2, 0.9]))).toBe(-1);
  });

  test("a lasso of any shape takes what a plain sum of crossings says", () => {
    const corners = randomPoints(40, 2, 5);
    const wild = Array.from({ length: 80 }, (_, k) => 200 + 190 * (corners[3 * (k >> 1) + (k % 2)] as number));
    const winding = (x: number, y: number): number => {
      let sum = 0;
      for (let i = 0; i < 80; i += 2) {
        const [xi, yi, xj, yj] = [wild[i]!, wild[i + 1]!, wild[(i + 2) % 80]!, wild[(i + 3) % 80]!];
        if (yi > y !== yj > y && x < xi + ((xj - xi) * (y - yi)) / (yj - yi)) sum += yj > yi ? 1 : -1;
      }
      return sum;
    };
    const expected = Array.from({ length: 500 }, (_, i) => i).filter(
      (i) => pickable[i] && winding(xy[2 * i]!, xy[2 * i + 1]!) !== 0,
    );
    expect(expected.length).toBeGreaterThan(50);
    expect(rowsInside(xy, pickable, wild)).toEqual(expected);
  });

  test("a box selects the pickable rows inside it", () => {
    const rows = rowsInside(xy, pickable, [100, 100, 200, 100, 200, 200, 100, 200]);
    const expected = Array.from({ length: 500 }, (_, i) => i).filter(
      (i) => pickable[i] && xy[2 * i]! > 100 && xy[2 * i]! < 200 && xy[2 * i + 1]! > 100 && xy[2 * i + 1]! < 200,
    );
    expect(rows).toEqual(expected);
  });

  test("Shift adds without doubling, Alt removes, else the new ones stand alone", () => {
    expect(combine([1, 2], [2, 3], "add")).toEqual([1, 2, 3]);
    expect(combine([1, 2], [2, 3], "remove")).toEqual([1]);
    expect(combine([1, 2], [2, 3], "replace")).toEqual([2, 3]);
  });

  test("an arrow key leads to the near point ahead, not to a nearer one at the side", () => {
    const cross = Float32Array.from([0, 0, 10, 1, 2, 6, -3, 0]);
    expect(nearestTowards(cross, Uint8Array.from([1, 1, 1, 1]), 0, 1, 0)).toBe(1);
    expect(nearestTowards(cross, Uint8Array.from([1, 1, 1, 1]), 0, 0, -1)).toBe(-1);
  });
});
