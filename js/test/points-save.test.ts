/** What is saved of an embedding: table, drawing, file names. */

import { describe, expect, test } from "vitest";
import { fit } from "../src/blocks/points/camera.ts";
import { NO_CLASS, standings } from "../src/blocks/points/cloud.ts";
import { tableOf } from "../src/blocks/points/csv.ts";
import { KEY_LINE, KEY_WIDTH, type Line } from "../src/blocks/points/key.ts";
import type { Column } from "../src/blocks/points/metadata.ts";
import { type Scene, buildPasses } from "../src/blocks/points/passes.ts";
import { breakLines, frameOf } from "../src/blocks/points/picture.ts";
import { captionText, fileName } from "../src/blocks/points/save.ts";
import { drawingOf, escapeXml } from "../src/blocks/points/svg.ts";
import { readTheme } from "../src/kernel/color.ts";
import { SIZE, all, makeCloud } from "./points-clouds.ts";

const theme = readTheme(document.body);

describe("the table", () => {
  const cloud = makeCloud([0, 1, NO_CLASS], {
    positions: Float32Array.from([0.5, -0.25, 0, 1, 0, 0, 0, 0, 0]),
    unit: 10,
    classes: [
      { name: 'say "cat", loud', n: 1, wrong: 1 },
      { name: "=SUM(A1)", n: 1, wrong: 0 },
    ],
    predictedNames: ["", "one", "+two"],
    predicted: [2, 1, NO_CLASS],
    confidence: Float32Array.from([0.1, 1, Number.NaN]),
    loss: Float32Array.from([2.5, 1e-7, Number.NaN]),
    wrong: [1, 0, 0],
  });

  test("has a row for each point asked for, in the map's own units, with nothing where nothing is known", () => {
    expect(tableOf(cloud, [0, 1, 2], new Set([101]), []).split("\r\n")).toEqual([
      "index,x,y,label,label_name,predicted,predicted_name,loss,confidence,selected,wrong",
      `100,5,-2.5,0,"say ""cat"", loud",2,'+two,2.5,0.1,0,1`,
      "101,10,0,1,'=SUM(A1),1,one,1e-7,1,1,0",
      "102,0,0,,,,,,,0,0",
      "",
    ]);
    expect(tableOf(cloud, [1], new Set(), []).split("\r\n")).toHaveLength(3);
  });

  test("has a third axis in three dimensions, and keeps line breaks of names inside their quotes", () => {
    const deep = { ...cloud, dims: 3, classes: [{ name: "two\nlines", n: 1, wrong: 0 }, ...cloud.classes.slice(1)] };
    const table = tableOf(deep, [0], new Set(), []);
    expect(table).toContain("index,x,y,z,label");
    expect(table).toContain('100,5,-2.5,0,0,"two\nlines",2');
  });

  test("has a column for all that is said of the samples, as exactly as it came", () => {
    const scale = (name: string, numbers: number[], low: number, high: number): Column => {
      // what a page gets: shares of the way, in float32
      const shares = Float32Array.from(numbers, (value) => (value - low) / (high - low));
      return { name, codes: null, names: [], numbers: Float64Array.from(shares, (share) => low + share * (high - low)), low, high };
    };
    const kinds = (name: string, names: string[], codes: number[], numbers: number[] | null = null): Column => {
      return { name, codes, names, numbers: numbers && Float64Array.from(numbers), low: 0, high: 0 };
    };
    const columns = [
      kinds("writer, first", ["=Ann", "bob"], [1, NO_CLASS, 0]),
      kinds("fold", ["-1", "7"], [0, 1, NO_CLASS], [-1.0001, 6.9999, Number.NaN]),
      scale("time", [1_700_000_012, 1_700_086_401, Number.NaN], 1_700_000_000, 1_700_086_401),
      scale("x", [0.1, -0.3, 2], -1, 3),
      { ...scale("same", [], 0, 1), numbers: Float64Array.from([2.5, 2.5, 2.5]), low: 2.5, high: 2.5 },
    ];
    const lines = tableOf(cloud, [0, 1, 2], new Set(), columns).split("\r\n");
    expect(lines.map((line) => line.replace(/^.*,[01](?=,)/, "")).slice(1, 4)).toEqual([
      ",bob,-1,1700000012,0.1,2.5",
      ",,7,1700086401,-0.3,2.5",
      ",'=Ann,,,2,2.5",
    ]);
    expect(lines[0]).toMatch(/,wrong,"writer, first",fold,time,metadata x,same$/);
  });

  test.each(["=1+1", "+1", "-1", "@now", "\tx", "\rx"])("makes %j harmless in a spreadsheet", (name) => {
    const named = { ...cloud, classes: [{ name, n: 1, wrong: 0 }] };
    expect(tableOf(named, [0], new Set(), [])).toContain(`'${name}`);
  });
});

describe("the drawing", () => {
  // Ten more are right and hidden: of few points two wrong ones were too many to ring.
  const right = new Array<number>(10).fill(2);
  const cloud = makeCloud([0, 0, 1, 1, ...right], { wrong: [1, 0, 0, 1, ...right.map(() => 0)] });
  const colors = Uint8Array.from([255, 0, 0, 100, 0, 255, 0, 100, 0, 0, 255, 100, 16, 16, 16, 100, ...right.flatMap(() => [0, 0, 0, 100])]);
  const drawn = (on: boolean[], selected: number[], over: Partial<Scene> = {}, sample = -1): Document => {
    const showing = { ...all(cloud, selected), on: [...on, false] };
    const scene: Scene = {
      from: cloud.positions,
      to: cloud.positions,
      share: 1,
      camera: fit(cloud.positions, 2, SIZE),
      size: SIZE,
      pixelRatio: 1,
      colors,
      ink: [33, 33, 33],
      brand: [25, 118, 210],
      ground: [255, 255, 255],
      passes: buildPasses(cloud, showing, standings(cloud, showing), 2.75),
      ...over,
    };
    const strokes = [{ color: "rgb(1 2 3)", alpha: 0.5, lines: [0, 1, 2, 3, 4, 5, 6.123, 7] }];
    const names = [{ text: "<b>&\u0001", x: 10, y: 20, width: 30, weight: 1 }];
    const key: Line[] = [(pen, x, y) => pen.text("<i>", x, y, "#123456", "end")];
    const frame = { map: SIZE, key, lines: ["a < b", "c"], width: SIZE.width + 200, height: SIZE.height + 40 };
    const title = 'Layer "x" & more';
    const text = drawingOf({ scene, strokes, names, sample, radius: 2.75, frame, title }, theme);
    return new DOMParser().parseFromString(text, "image/svg+xml");
  };

  test("has a circle for each point that is not hidden, in its colour, and a ring for each wrong one", () => {
    const picture = drawn([true, true], []);
    expect(picture.querySelector("parsererror")).toBeNull();
    const fills = [...picture.querySelectorAll(".points circle")].map((circle) => circle.getAttribute("fill"));
    expect(fills).toEqual(["#ff0000", "#00ff00", "#0000ff", "#101010"]);
    expect(picture.querySelectorAll(".rings circle")).toHaveLength(2);
    expect(drawn([false, true], []).querySelectorAll(".points circle")).toHaveLength(2);
  });

  test("draws the selected last and the rest half clear", () => {
    const picture = drawn([true, true], [101]);
    const groups = [...picture.querySelectorAll("g")].map((group) => group.getAttribute("class"));
    expect(groups).toEqual(["trails", "points", "rings", "selected", "names", "legend", "caption"]);
    expect(picture.querySelector(".points circle")!.getAttribute("opacity")).toBe("0.5");
    expect(picture.querySelector(".selected circle")!.getAttribute("opacity")).toBeNull();
  });

  test("has the blue ring of the sample looked at, round its point and above all others", () => {
    const sized = colors.slice();
    sized[11] = 200;
    const picture = drawn([true, true], [], { colors: sized }, 2);
    const [ring, ...more] = picture.querySelectorAll(".sample circle");
    const point = picture.querySelectorAll(".points circle")[2]!;
    expect(more).toEqual([]);
    expect(["cx", "cy"].map((name) => ring!.getAttribute(name))).toEqual(["cx", "cy"].map((name) => point.getAttribute(name)));
    expect(Number(ring!.getAttribute("r"))).toBeCloseTo(2 * 2.75 + 3.75);
    expect(ring!.parentElement!.getAttribute("stroke")).toBe("#1976d2");
    expect(picture.querySelector(".names")!.compareDocumentPosition(ring!)).toBe(Node.DOCUMENT_POSITION_FOLLOWING);
    expect(drawn([true, true], []).querySelector(".sample")).toBeNull();
  });

  test("cuts off what lies beside the map, where the legend is", () => {
    const [outer, map] = drawn([true, true], []).querySelectorAll("svg");
    expect(outer!.getAttribute("viewBox")).toBe(`0 0 ${SIZE.width + 200} ${SIZE.height + 40}`);
    expect([map!.getAttribute("width"), map!.getAttribute("height")]).toEqual([String(SIZE.width), String(SIZE.height)]);
    expect(map!.querySelector(".points")).not.toBeNull();
    expect(map!.querySelector(".legend")).toBeNull();
  });

  test("has the trails under the points", () => {
    const [trail] = drawn([true, true], []).querySelectorAll(".trails path");
    expect(trail!.getAttribute("d")).toBe("M0 1L2 3M4 5L6.12 7");
    expect(trail!.getAttribute("stroke")).toBe("rgb(1 2 3)");
  });

  test("leaves out what lies beside the canvas", () => {
    const camera = { ...fit(cloud.positions, 2, SIZE), panX: 10_000 };
    expect(drawn([true, true], [], { camera }).querySelectorAll("circle")).toHaveLength(0);
  });

  test("takes names and captions for text", () => {
    const picture = drawn([true, true], []);
    expect(picture.querySelector("title")!.textContent).toBe('Layer "x" & more');
    expect(picture.querySelector(".names text")!.textContent).toBe("<b>&\ufffd");
    expect([...picture.querySelectorAll(".caption text")].map((text) => text.textContent)).toEqual(["a < b", "c"]);
    const key = picture.querySelector(".legend text")!;
    expect([key.textContent, key.getAttribute("fill"), key.getAttribute("text-anchor")]).toEqual(["<i>", "#123456", "end"]);
    expect(escapeXml("'\"")).toBe("&#39;&#34;");
  });
});

test("a picture has room for the legend beside the map, and grows where that is longer", () => {
  const line: Line = () => undefined;
  const [none, few, many] = [0, 3, 40].map((count) => frameOf(SIZE, new Array<Line>(count).fill(line), "words", theme));
  expect(none!.width).toBe(SIZE.width);
  expect(few!.width).toBeGreaterThanOrEqual(SIZE.width + KEY_WIDTH);
  expect(few!.height).toBe(none!.height);
  expect(many!.height).toBeGreaterThanOrEqual(40 * KEY_LINE);
});

test("a caption is broken between words, and a word that is too long stands alone", () => {
  expect(breakLines("aa bb cc dddddddd e", 5, (text) => text.length)).toEqual(["aa bb", "cc", "dddddddd", "e"]);
  expect(breakLines("", 5, (text) => text.length)).toEqual([]);
});

test("a caption begins with the subject, and says that a layer is one", () => {
  const header = { title: "conv2", caption: [["500 samples", false]] as [string, boolean][] };
  expect(captionText({ ...header, title_is_code: true })).toBe("Layer conv2 · 500 samples");
  expect(captionText({ ...header, title: "Errors", subtitle: "by loss" })).toBe("Errors, by loss · 500 samples");
});

test("file names say layer and step, whatever the layer is called", () => {
  expect(fileName("embedding", "conv2", 1240, "csv")).toBe("embedding-conv2-step-1240.csv");
  expect(fileName("embedding", "block1.0/conv:2", null, "svg")).toBe("embedding-block1.0-conv-2.svg");
});
