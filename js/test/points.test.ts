import { describe, expect, test } from "vitest";
import { NO_CLASS, alone, freshSwitches, readCloud, sameCloud, slotsOf, standings } from "../src/blocks/points/cloud.ts";
import { medoids, placeCard, placeLabels } from "../src/blocks/points/labels.ts";
import { looksOf } from "../src/blocks/points/looks.ts";
import { pointColors, shorten } from "../src/blocks/points/paint.ts";
import { buildPasses, farToNear, pointRadius } from "../src/blocks/points/passes.ts";
import { readTheme } from "../src/kernel/color.ts";
import { all, block, makeCloud } from "./points-clouds.ts";

describe("what stands out", () => {
  test("draw order is hidden, points, rings, selected by rising loss", () => {
    const further = new Array<number>(9).fill(0);
    const labels = [0, 1, 1, 1, 1, ...further];
    const cloud = makeCloud(labels, { wrong: [0, 1, 0, 0, 1, ...further], loss: Float32Array.from([0, 1, 3, 2, 9, ...further]) });
    const showing = { on: [false, true], onlyWrong: false, selected: new Set([102, 103, 104]), found: null };
    const passes = buildPasses(cloud, showing, standings(cloud, showing), 2.75);
    expect(passes.map((pass) => [pass.name, Array.from(pass.members)])).toEqual([
      ["specks", [0, ...further.map((_, k) => 5 + k)]],
      ["points", [1]],
      ["rings", [1]],
      ["selected", [3, 2, 4]],
      ["selected rings", [4]],
    ]);
    expect(passes.map((pass) => pass.alpha)).toEqual([0.16, 0.5, 0.5, 1, 1]);
    expect(passes.map((pass) => pass.radius)).toEqual([1.5, 2.75, 5.5, 4, 5.5]);
  });

  test("wrong points are ringed only where fewer than 15 % of all are wrong", () => {
    const namesOf = (wrong: number): string[] => {
      const cloud = makeCloud(new Array<number>(100).fill(0), { wrong: Array.from({ length: 100 }, (_, i) => Number(i < wrong)) });
      const showing = all(cloud, [100]);
      return buildPasses(cloud, showing, standings(cloud, showing), 2).map((pass) => pass.name);
    };
    expect(namesOf(14)).toEqual(["points", "rings", "selected", "selected rings"]);
    expect(namesOf(15)).toEqual(["points", "selected"]);
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

  test("picked ones of many classes have different colours as long as there are enough", () => {
    const picked = (...ks: number[]): number[] => {
      const slots = slotsOf(Array.from({ length: 100 }, (_, k) => ks.includes(k)), 10);
      return ks.map((k) => slots[k] as number);
    };
    expect(picked(3)).toEqual([3]);
    expect(picked(3, 4, 13, 23)).toEqual([3, 4, 0, 1]);
    expect(new Set(picked(...Array.from({ length: 10 }, (_, k) => 10 * k)))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    expect(picked(...Array.from({ length: 12 }, (_, k) => k)).slice(10)).toEqual([0, 1]);
    expect(slotsOf(new Array<boolean>(20).fill(true), 10)[13]).toBe(3);
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
    const classes = pointColors(looksOf(cloud, [], "class", "equal", null), standing, all(cloud).on, theme, [1, 2, 3]);
    expect(Array.from(classes.subarray(0, 3))).toEqual([0x1e, 0xab, 0xfa]);
    expect(Array.from(classes.subarray(4, 7))).toEqual([0xfa, 0x96, 0x09]);
    expect(Array.from(classes.subarray(8, 11))).toEqual([1, 2, 3]);
    const losses = pointColors(looksOf(cloud, [], "loss", "equal", null), standing, all(cloud).on, theme, [1, 2, 3]);
    expect(Array.from(losses.subarray(0, 7))).toEqual([0xb6, 0xe1, 0xdd, 100, 0x1d, 0x19, 0x48]);
    expect(Array.from(losses.subarray(8, 11))).toEqual([1, 2, 3]);
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

  test("long class names lose their middle", () => {
    expect(shorten("automobile")).toBe("automobile");
    expect(shorten("black-footed albatross")).toBe("black-foote…atross");
  });
});

describe("what Python sends", () => {
  test("positions become triples and missing arrays mean none", () => {
    const cloud = readCloud(block([32000, -16000, 0, 8000]));
    expect(Array.from(cloud.positions)).toEqual([1, -0.5, 0, 0, 0.25, 0]);
    expect(Array.from(cloud.labels)).toEqual([NO_CLASS, NO_CLASS]);
    expect(Array.from(cloud.indices)).toEqual([100, 101]);
    expect(cloud.classes).toEqual([]);
  });

  test("points with another label than the model says are wrong, and classes are counted up to the last there is", () => {
    const codes = (...data: number[]) => ({ shape: [4], data: Int16Array.from(data) });
    const names = { class_names: ["cat", "dog", "fox"] };
    const cloud = readCloud(block(new Array<number>(8).fill(0), { labels: codes(1, 1, 0, -1), predicted: codes(1, 2, -1, 0), ...names }));
    expect(Array.from(cloud.wrong)).toEqual([0, 1, 0, 0]);
    expect(cloud.classes).toEqual([
      { name: "cat", n: 1, wrong: 0 },
      { name: "dog", n: 2, wrong: 1 },
    ]);
    expect(cloud.predictedNames).toEqual(["cat", "dog", "fox"]);
  });

  test("a cloud is another one only when something of it is", () => {
    const first = block([0, 0]);
    expect(sameCloud({ ...first, color: "loss", sample: 7 }, first)).toBe(true);
    expect(sameCloud({ ...first, positions: { ...first.positions } }, first)).toBe(false);
    expect(sameCloud(first, null)).toBe(false);
  });
});
