/** The legend of a saved map. */

import { describe, expect, test } from "vitest";
import { NO_CLASS, type Showing } from "../src/blocks/points/cloud.ts";
import { type Pen, hex, keyLines } from "../src/blocks/points/key.ts";
import { wrongWidth } from "../src/blocks/points/legend.ts";
import { looksOf } from "../src/blocks/points/looks.ts";
import type { Column } from "../src/blocks/points/metadata.ts";
import { parseHex, readTheme, unpackRgb } from "../src/kernel/color.ts";
import { all, makeCloud } from "./points-clouds.ts";

const theme = readTheme(document.body);
const tones = { ink: "#101010", quiet: "#707070", brand: "#0000ff" };
const cloud = makeCloud([0, 1, 1, ...new Array<number>(4).fill(NO_CLASS)], {
  wrong: [0, 0, 1, 0],
  loss: Float32Array.from([0, 2, 4, Number.NaN]),
  classes: [
    { name: "cat", n: 1, wrong: 0 },
    { name: "a name that is longer than there is room", n: 2, wrong: 1 },
    { name: "nobody", n: 0, wrong: 0 },
  ],
});
const age: Column = { name: "age", codes: null, names: [], numbers: Float64Array.from([-1, 0, 2, 3]), low: -1, high: 3 };

interface Drawn {
  texts: string[][];
  discs: { fill?: string; stroke?: string }[][];
  boxes: string[];
}

/** What a legend draws, line by line. */
function drawn(color: string, size = "equal", over: Partial<Showing> = {}, sample: number | null = null, selected = 0, wrong = 1): Drawn {
  const looks = looksOf(cloud, [age], color, size, null);
  const showing = { ...all(looks.grouped), ...over };
  const out: Drawn = { texts: [], discs: [], boxes: [] };
  const pen: Pen = {
    text: (words) => out.texts.at(-1)!.push(words),
    disc: (_x, _y, _radius, look) => out.discs.at(-1)!.push(look),
    box: (_x, _y, _width, _height, fill) => out.boxes.push(fill),
  };
  for (const line of keyLines({ looks, showing, counts: { wrong, selected }, sample, specks: true }, theme, tones)) {
    out.texts.push([]);
    out.discs.push([]);
    line(pen, 0, 0);
  }
  return out;
}

describe("a saved legend", () => {
  test("has a line for each group that has points, in its colour, with its counts, and long names lose their middle", () => {
    const { texts, discs, boxes } = drawn("class");
    expect(texts).toEqual([
      ["Class", "n", "wrong"],
      ["cat", "1", "0"],
      ["a name that…s room", "2", "1"],
      [],
      ["no value (4)"],
      ["wrong (1)"],
    ]);
    expect(discs.slice(1, 3).map(([disc]) => disc!.fill)).toEqual(theme.classes.slice(0, 2));
    expect(boxes).toEqual([]);
  });

  test("leaves out groups that are hidden, and says that there are hidden points", () => {
    const words = drawn("class", "equal", { on: [false, true, true] }).texts.flat();
    expect(words).not.toContain("cat");
    expect(words).toContain("hidden");
    expect(drawn("class", "equal", { onlyWrong: true }).texts.flat()).toContain("correct, or hidden");
  });

  test("names the sample looked at, the selected and what a search found", () => {
    const found = Uint8Array.from([1, 0, 1, 0]);
    const { texts, discs } = drawn("class", "equal", { found }, 1240, 3);
    expect(texts.slice(-5).flat()).toEqual(["wrong (1)", "selected (3)", "not selected", "found (2)", "sample 1\u202f240"]);
    expect(discs.at(-1)!.map(({ stroke }) => stroke)).toContain(tones.brand);
  });

  test("says of wrong points that have no rings how many they are, without a mark", () => {
    const { texts, discs } = drawn("class", "equal", {}, null, 0, 2);
    expect(texts.at(-1)).toEqual(["2 of 7 wrong: too many to ring"]);
    expect(discs.at(-1)).toEqual([]);
  });

  test("of a scale has its bar, ends and name instead of groups", () => {
    const { texts, boxes } = drawn("age");
    expect(texts.slice(0, 3)).toEqual([["age"], [], ["−3.00", "3.00"]]);
    const [first, last] = [0, 256].map((at) => {
      return hex(unpackRgb(theme.markDiverging[at] as number));
    });
    expect([boxes[0], boxes.at(-1)]).toEqual([first, last]);
    expect(texts.flat()).not.toContain("cat");
  });

  test("says what sizes mean", () => {
    const { texts, discs } = drawn("class", "loss");
    expect(texts.slice(-2)).toEqual([["Size: loss"], ["0", "4.00"]]);
    expect(discs.at(-1)).toHaveLength(2);
  });

  test("of many groups has the picked ones and counts the others, which are grey", () => {
    const labels = Array.from({ length: 30 }, (_, i) => i);
    const many = makeCloud(labels);
    const looks = looksOf(many, [], "class", "equal", null);
    const texts: string[] = [];
    const fills: (string | undefined)[] = [];
    const pen: Pen = { text: (words) => texts.push(words), disc: (_x, _y, _r, { fill }) => fills.push(fill), box: () => undefined };
    const subject = { looks, counts: { wrong: 0, selected: 0 }, sample: null, specks: true };
    const on = labels.map((k) => k === 12);
    keyLines({ ...subject, showing: { ...all(many), on } }, theme, tones).forEach((line) => line(pen, 0, 0));
    expect(texts).toEqual(["Class", "n", "wrong", "12", "1", "0", "29 not picked", "29", "0"]);
    expect(fills).toEqual([theme.classes[2], tones.quiet]);
    expect(hex(parseHex("0a0b0c"))).toBe("#0a0b0c");
  });

  test("ends after forty groups and says how many more there are", () => {
    const many = makeCloud(Array.from({ length: 50 }, (_, i) => i));
    const looks = looksOf(many, [], "class", "equal", null);
    const texts: string[] = [];
    const pen: Pen = { text: (words) => texts.push(words), disc: () => undefined, box: () => undefined };
    const showing = { ...all(many), on: new Array<boolean>(50).fill(true) };
    const lines = keyLines({ looks, showing, counts: { wrong: 0, selected: 0 }, sample: null, specks: true }, theme, tones);
    lines.forEach((line) => line(pen, 0, 0));
    expect(lines).toHaveLength(43);
    expect(texts.slice(-3)).toEqual(["and 10 more", "10", "0"]);
  });
});

test("the column of wrong ones holds its longest number", () => {
  expect(wrongWidth([{ name: "cat", n: 20000, wrong: 17500 }, { name: "dog", n: 9, wrong: 9 }])).toBe("6ch");
  expect(wrongWidth([])).toBe("0ch");
});
