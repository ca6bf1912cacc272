import { describe, expect, test } from "vitest";
import { NO_CLASS, standings } from "../src/blocks/points/cloud.ts";
import { looksOf, sizeFactor } from "../src/blocks/points/looks.ts";
import { type Column, readColumns, sameColumns, wordsOf } from "../src/blocks/points/metadata.ts";
import { pointColors } from "../src/blocks/points/paint.ts";
import { buildPasses } from "../src/blocks/points/passes.ts";
import { searchRows } from "../src/blocks/points/finder.ts";
import { parseHex, readTheme } from "../src/kernel/color.ts";
import { all, block, makeCloud } from "./points-clouds.ts";

const theme = readTheme(document.body);
const GREY = [1, 2, 3] as const;
const predicted = Int16Array.from([0, 1, 0, NO_CLASS]);
const cloud = {
  ...makeCloud([0, 1, 1, NO_CLASS], {
    wrong: [0, 0, 1, 0],
    loss: Float32Array.from([0, 2, 4, Number.NaN]),
    predicted,
    confidence: Float32Array.from([1, 0.5, 0, Number.NaN]),
    predictedNames: ["cat", "Dog"],
  }),
  classes: [
    { name: "cat", n: 1, wrong: 0 },
    { name: "Dog", n: 2, wrong: 1 },
  ],
};
const writer: Column = { name: "writer", codes: [1, 0, NO_CLASS, 1], names: ["Ann", "bob"], numbers: null, low: 0, high: 0 };
const age: Column = {
  name: "age",
  codes: null,
  names: [],
  numbers: Float64Array.from([-1, 0, Number.NaN, 3]),
  low: -1,
  high: 3,
};
const columns = [writer, age];
const looks = (color: string, size = "equal", before: ReturnType<typeof looksOf> | null = null): ReturnType<typeof looksOf> =>
  looksOf(cloud, columns, color, size, before);
/** Colours of the rows, as in `theme.classes`. */
const painted = (color: string): string[] => {
  const worn = looks(color);
  const bytes = pointColors(worn, standings(worn.grouped, all(worn.grouped)), all(worn.grouped).on, theme, [...GREY]);
  return Array.from({ length: cloud.n }, (_, i) => bytes.subarray(4 * i, 4 * i + 3).join(" "));
};
const swatch = (k: number): string => parseHex((theme.classes[k] as string).slice(1)).join(" ");
const packed = (value: number | undefined): string =>
  [(value ?? 0) & 255, ((value ?? 0) >> 8) & 255, ((value ?? 0) >> 16) & 255].join(" ");
const grey = GREY.join(" ");

describe("colours", () => {
  test("by prediction, correctness and category are those of the legend's groups, grey without one", () => {
    expect(painted("class")).toEqual([swatch(0), swatch(1), swatch(1), grey]);
    expect(painted("prediction")).toEqual([swatch(0), swatch(1), swatch(0), grey]);
    expect(painted("correctness")).toEqual([swatch(0), swatch(0), swatch(1), grey]);
    expect(painted("writer")).toEqual([swatch(1), swatch(0), grey, swatch(1)]);
  });

  test("groups are counted with their wrong ones, and points without one as missing", () => {
    expect(looks("prediction").grouped.classes).toEqual([
      { name: "cat", n: 2, wrong: 1 },
      { name: "Dog", n: 1, wrong: 0 },
    ]);
    expect(looks("correctness").grouped.classes.map(({ name, n }) => [name, n])).toEqual([
      ["correct", 2],
      ["wrong", 1],
    ]);
    expect(["class", "correctness", "writer", "loss", "age"].map((name) => looks(name).missing)).toEqual([1, 1, 1, 1, 1]);
    expect(looks("writer").cloud).toBe(cloud);
    expect(["class", "prediction", "correctness", "writer"].map((name) => looks(name).named)).toEqual([true, true, false, false]);
  });

  test("on a scale go from its low to its high end, none of them the ground's", () => {
    const [low, middle, high] = [theme.markInk[0], theme.markInk[Math.round(256 * Math.sqrt(1 / 2))], theme.markInk[256]];
    expect(painted("loss")).toEqual([packed(low), packed(middle), packed(high), grey]);
    expect(painted("confidence")[0]).toBe(packed(theme.markInk[256]));
    expect([theme.markInk[0], theme.markInk[256]]).not.toContain(theme.ink[0]);
  });

  test("of both signs are symmetric about zero", () => {
    expect(looks("age").color).toMatchObject({ low: -3, high: 3 });
    expect(painted("age")[1]).toBe(packed(theme.markDiverging[128]));
    expect(painted("age")[3]).toBe(packed(theme.markDiverging[256]));
  });

  test("a scale of loss only grows while it is chosen", () => {
    const before = looks("loss");
    const smaller = { ...cloud, loss: Float32Array.from([0, 1, 1, 1]) };
    expect(looksOf(smaller, columns, "loss", "equal", before).color?.high).toBe(4);
    expect(looksOf(smaller, columns, "loss", "equal", looks("class")).color?.high).toBe(1);
  });
});

describe("sizes", () => {
  test("grow by area from half to four times, as small as can be without a value", () => {
    const { size } = looks("class", "loss");
    expect([0, 1, 2, 3].map((row) => sizeFactor(size, row) ** 2)).toEqual(
      [0.5, 2.25, 4, 0.5].map((area) => expect.closeTo(area, 6)),
    );
    expect(sizeFactor(null, 0)).toBe(1);
  });

  test("reach the renderers as hundredths", () => {
    const worn = looks("class", "loss");
    const bytes = pointColors(worn, standings(worn.grouped, all(cloud)), all(cloud).on, theme, [...GREY]);
    expect([bytes[3], bytes[7], bytes[11]]).toEqual([71, 150, 200]);
  });
});

describe("metadata", () => {
  const data = block(new Array<number>(6).fill(0), {
    columns: [
      { name: "writer", names: '["Ann"]', low: 0, high: 0, codes: 0 },
      { name: "age", names: "[]", low: 10, high: 20, shares: 0 },
      { name: "fold", names: '["0", "1"]', low: 0, high: 1, codes: 1, shares: 1 },
    ],
    codes: { shape: [2, 3], data: Int32Array.from([0, -1, 0, 1, 0, 1]) },
    shares: { shape: [2, 3], data: Int32Array.from([0, 2 ** 23, -1, 2 ** 24, 0, 2 ** 24]) },
  });

  test("is read by name, numbers in their own unit", () => {
    const [first, second, third] = readColumns(data);
    expect(Array.from(first?.codes ?? [])).toEqual([0, NO_CLASS, 0]);
    expect(first?.numbers).toBeNull();
    expect(second?.codes).toBeNull();
    expect(Array.from(second?.numbers ?? [])).toEqual([10, 15, Number.NaN]);
    expect(third?.names).toEqual(["0", "1"]);
    expect([Array.from(third?.codes ?? []), Array.from(third?.numbers ?? [])]).toEqual([
      [1, 0, 1],
      [1, 0, 1],
    ]);
  });

  test("is read once as long as it stays the same", () => {
    expect(sameColumns({ ...data, color: "age" }, data)).toBe(true);
    expect(sameColumns({ ...data, columns: [...data.columns] }, data)).toBe(false);
  });

  test("is said of a point where it has a value", () => {
    expect(wordsOf(columns, 0)).toEqual([
      ["writer", "bob"],
      ["age", "−1.00"],
    ]);
    expect(wordsOf(columns, 2)).toEqual([]);
  });
});

describe("search", () => {
  const rows = (query: string): number[] | null => {
    const found = searchRows(query, cloud, columns);
    return found && Array.from(found);
  };

  test("finds an index, and with # nothing else", () => {
    expect(rows("#102")).toEqual([0, 0, 1, 0]);
    expect(rows("102")).toEqual([0, 0, 1, 0]);
    expect(rows("#10")).toEqual([0, 0, 0, 0]);
    const named = { ...cloud, classes: [{ name: "1", n: 1, wrong: 0 }] };
    expect(Array.from(searchRows("1", named, []) ?? [])).toEqual([1, 0, 0, 0]);
    expect(Array.from(searchRows("#1", named, []) ?? [])).toEqual([0, 0, 0, 0]);
  });

  test("finds labels, predictions and texts by any part, in capitals or not", () => {
    expect(rows(" DO ")).toEqual([0, 1, 1, 0]);
    expect(rows("cat")).toEqual([1, 0, 1, 0]);
    expect(rows("AN")).toEqual([0, 1, 0, 0]);
    expect(rows("b")).toEqual([1, 0, 0, 1]);
    expect(rows("zebra")).toEqual([0, 0, 0, 0]);
  });

  test("is none while nothing is typed", () => {
    expect(["", "  ", "#"].map(rows)).toEqual([null, null, null]);
  });

  test("rings what it found, the hidden too, and dims the rest", () => {
    const showing = { ...all(cloud), on: [false, true], found: Uint8Array.from([1, 0, 1, 0]) };
    const passes = buildPasses(cloud, showing, standings(cloud, showing), 2);
    expect(passes.map(({ name, members, alpha, stroke }) => [name, Array.from(members), alpha, stroke])).toEqual([
      ["points", [1, 3], 0.5, "ground"],
      ["found", [0, 2], 1, "ground"],
      ["found rings", [0, 2], 1, "brand"],
    ]);
  });
});
