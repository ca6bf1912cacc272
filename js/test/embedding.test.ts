import { describe, expect, test } from "vitest";
import { type Camera, IDENTITY, between, fit, orbit, pan, project, rotation, zoomAt } from "../src/embedding/camera.ts";
import { readAnswer } from "../src/embedding/card.ts";
import { type Cloud, NO_CLASS, alone, freshSwitches, readCloud, standings } from "../src/embedding/cloud.ts";
import { medoids, placeCard, placeLabels } from "../src/embedding/labels.ts";
import { Motion, TWEEN_MS, cubicOut, startPositions } from "../src/embedding/motion.ts";
import { pointColors, shorten } from "../src/embedding/paint.ts";
import { buildPasses, farToNear, pointRadius } from "../src/embedding/passes.ts";
import { PickGrid, combine, inPolygon, nearestTowards, rowsInside } from "../src/embedding/picking.ts";
import { stripCells } from "../src/embedding/strip.ts";
import { readTheme } from "../src/kernel/color.ts";

/** A small generator, so that every run draws the same numbers. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomPoints(n: number, dims: number, seed = 1): Float32Array {
  const random = seeded(seed);
  return Float32Array.from({ length: 3 * n }, (_, k) => (k % 3 < dims ? random() * 2 - 1 : 0));
}

function makeCloud(labels: number[], over: Partial<Cloud> = {}): Cloud {
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
    classes,
    ...over,
  };
}

const SIZE = { width: 400, height: 300 };
const all = (cloud: Cloud, selected: number[] = []) => ({
  on: freshSwitches(cloud.classes.length),
  onlyWrong: false,
  selected: new Set(selected),
});

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

  test("a lasso follows the even–odd rule, so a loop inside a loop is a hole", () => {
    const star = [0, 0, 10, 0, 10, 10, 0, 10, 0, 0, 3, 3, 7, 3, 7, 7, 3, 7, 3, 3];
    expect(inPolygon(1, 1, star)).toBe(true);
    expect(inPolygon(5, 5, star)).toBe(false);
    expect(inPolygon(11, 5, star)).toBe(false);
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

describe("what stands out", () => {
  test("draw order is hidden, points, rings, selected by rising loss", () => {
    const cloud = makeCloud([0, 1, 1, 1, 1], { wrong: [0, 1, 0, 0, 1], loss: Float32Array.from([0, 1, 3, 2, 9]) });
    const showing = { on: [false, true], onlyWrong: false, selected: new Set([102, 103, 104]) };
    const passes = buildPasses(cloud, showing, standings(cloud, showing), 2.75);
    expect(passes.map((pass) => [pass.name, Array.from(pass.members)])).toEqual([
      ["specks", [0]],
      ["points", [1]],
      ["rings", [1]],
      ["selected", [3, 2, 4]],
      ["selected rings", [4]],
    ]);
    expect(passes.map((pass) => pass.alpha)).toEqual([0.16, 0.5, 0.5, 1, 1]);
    expect(passes.map((pass) => pass.radius)).toEqual([1.5, 2.75, 5.5, 4, 5.5]);
  });

  test("nothing is dimmed while nothing is selected, and a NaN loss sorts first", () => {
    const cloud = makeCloud([0, 0], { loss: Float32Array.from([0.1, Number.NaN]) });
    const none = buildPasses(cloud, all(cloud), standings(cloud, all(cloud)), 2);
    expect(none.map((pass) => [pass.name, pass.alpha])).toEqual([["points", 1]]);
    const both = all(cloud, [100, 101]);
    expect(Array.from(buildPasses(cloud, both, standings(cloud, both), 2)[0]!.members)).toEqual([1, 0]);
  });

  test("points shrink in low views and in large clouds", () => {
    expect([pointRadius(500, 480), pointRadius(500, 300), pointRadius(500, 200), pointRadius(10_001, 480)]).toEqual([
      2.75, 2, 1.5, 1.5,
    ]);
  });

  test("only wrong leaves the right ones as specks, and points without a class stay grey", () => {
    const cloud = makeCloud([0, 0, NO_CLASS], { wrong: [1, 0, 1] });
    expect(Array.from(standings(cloud, { ...all(cloud), onlyWrong: true }))).toEqual([2, 0, 1]);
  });

  test("with more than 20 classes only picked ones are coloured, and the others can still be hit", () => {
    const cloud = makeCloud(Array.from({ length: 25 }, (_, k) => k));
    const on = freshSwitches(25);
    expect(on.some(Boolean)).toBe(false);
    on[3] = true;
    const standing = standings(cloud, { ...all(cloud), on });
    expect(Array.from(standing)).toEqual(Array.from({ length: 25 }, (_, k) => (k === 3 ? 2 : 1)));
  });

  test("alone shows one class, and the same again shows all", () => {
    const one = alone([true, true, true], 1);
    expect(one).toEqual([false, true, false]);
    expect(alone(one, 1)).toEqual([true, true, true]);
  });

  test("far points are drawn before near ones", () => {
    const nearness = Float32Array.from([1.2, 0.8, 1, 0.9]);
    expect(Array.from(farToNear(Uint32Array.from([0, 1, 2, 3]), nearness))).toEqual([1, 3, 2, 0]);
  });

  test("colours are the class's, grey without one, and ink by loss", () => {
    const cloud = makeCloud([0, 11, NO_CLASS], { loss: Float32Array.from([0, 2, Number.NaN]) });
    const theme = readTheme(document.body);
    const standing = standings(cloud, all(cloud));
    const classes = pointColors(cloud, standing, theme, [1, 2, 3], null);
    expect(Array.from(classes.subarray(0, 3))).toEqual([0x1e, 0xab, 0xfa]);
    expect(Array.from(classes.subarray(4, 7))).toEqual([0xfa, 0x96, 0x09]);
    expect(Array.from(classes.subarray(8, 11))).toEqual([1, 2, 3]);
    const losses = pointColors(cloud, standing, theme, [1, 2, 3], 2);
    expect(Array.from(losses.subarray(0, 7))).toEqual([0xf2, 0xf4, 0xf4, 0, 0x1d, 0x19, 0x48]);
  });
});

describe("names and cards", () => {
  test("a name stands on the point with the least summed distance, whatever its outliers", () => {
    const positions = Float32Array.from([0, 0, 0, 1, 0, 0, 0, 1, 0, 50, 50, 0, 0.4, 0.4, 0]);
    expect(Array.from(medoids(makeCloud([0, 0, 0, 0, 0], { positions })))).toEqual([4]);
  });

  test("a class without points has no name on the map", () => {
    expect(Array.from(medoids(makeCloud([1, 1])))[0]).toBe(-1);
  });

  test("the larger of two names in each other's way keeps its place", () => {
    const at = { x: 100, width: 20 };
    const placed = placeLabels(
      [
        { ...at, text: "small", y: 104, weight: 3 },
        { ...at, text: "large", y: 100, weight: 9 },
      ],
      300,
      20,
    );
    expect(placed.find((label) => label.text === "large")?.y).toBe(100);
    const small = placed.find((label) => label.text === "small");
    expect(Math.abs((small?.y ?? 100) - 100)).toBeGreaterThanOrEqual(20);
  });

  test("a name with no room at all stays away", () => {
    const same = Array.from({ length: 9 }, (_, k) => ({ text: String(k), x: 100, y: 100, width: 20, weight: 9 - k }));
    const placed = placeLabels(same, 300, 20);
    for (const a of placed) for (const b of placed) expect(a === b || Math.abs(a.y - b.y) >= 20).toBe(true);
    expect(placed.length).toBeLessThan(9);
  });

  test("a card takes the side with the fewest points and never covers its own", () => {
    const card = { width: 216, height: 102 };
    const right = placeCard(300, 200, card, { width: 680, height: 480 }, (left) => (left > 300 ? 9 : 0));
    expect(right.left + card.width).toBeLessThan(300);
    // A low canvas pushes the card above or below over the point: empty as it is there, another side is taken.
    const low = placeCard(340, 75, card, { width: 680, height: 150 }, (left) => (left === 340 - 108 ? 0 : 5));
    expect(low.left).toBe(354);
    for (const [x, y] of [
      [2, 2],
      [678, 478],
      [340, 3],
      [679, 240],
    ] as const) {
      const at = placeCard(x, y, card, { width: 680, height: 480 }, () => 0);
      expect(x >= at.left && x <= at.left + card.width && y >= at.top && y <= at.top + card.height).toBe(false);
      expect(at.left >= 0 && at.left + card.width <= 680 && at.top >= 0 && at.top + card.height <= 480).toBe(true);
    }
  });

  test("an answer is read as text whatever it holds", () => {
    const answer = readAnswer({ channel: "", header: { title: 7, lines: [["label", 5], "odd"] }, arrays: {} });
    expect(answer).toEqual({
      title: "7",
      lines: [
        ["label", "5"],
        ["", "odd"],
      ],
      picture: null,
    });
  });

  test("long class names lose their middle", () => {
    expect(shorten("automobile")).toBe("automobile");
    expect(shorten("black-footed albatross")).toBe("black-foote…atross");
  });
});

describe("frames", () => {
  test("positions become triples in data units and missing arrays mean none", () => {
    const cloud = readCloud({
      channel: "picture",
      header: {
        title: "",
        classes: [],
        n: 2,
        dims: 2,
        method: "pca",
        counts: { wrong: 0, selected: 0 },
        kept: null,
        strip: [],
      },
      arrays: { positions: { shape: [2, 2], data: Int16Array.from([32000, -16000, 0, 8000]) } },
    });
    expect(Array.from(cloud?.positions ?? [])).toEqual([1, -0.5, 0, 0, 0.25, 0]);
    expect(Array.from(cloud?.labels ?? [])).toEqual([NO_CLASS, NO_CLASS]);
    expect(Array.from(cloud?.indices ?? [])).toEqual([0, 1]);
  });

  test("twelve cells at the dashboard's width, the last one counting the rest", () => {
    expect(stripCells(824, 14, 14)).toEqual({ columns: 12, pictures: 11, more: 3 });
    expect(stripCells(824, 12, 12)).toEqual({ columns: 12, pictures: 12, more: 0 });
    expect(stripCells(528, 14, 14)).toEqual({ columns: 8, pictures: 7, more: 7 });
    expect(stripCells(824, 14, 0).more).toBe(0);
  });
});
