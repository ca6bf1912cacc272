import { describe, expect, it, vi } from "vitest";
import { layoutSequence, layoutStrips, layoutTiles, tileRect } from "../src/blocks/grid/layout.ts";
import { drawSequence, drawStrips, drawTiles, reduceMaps, scaleOf } from "../src/blocks/grid/paint.ts";
import type { ColorScale } from "../src/blocks/types.ts";
import { drawHatch, drawPixels, mapPixels, rawPixels } from "../src/kernel/canvas.ts";
import { type Theme, lookUp, packRgb, parseHex, readTheme } from "../src/kernel/color.ts";
import type { NdArray } from "../src/kernel/wire.ts";
import { type Call, recordCanvases, recordingContext } from "./host.ts";

const theme: Theme = readTheme(document.body);
const ground = packRgb(parseHex("f2f4f4"));
const layer: ColorScale = { lo: 0, hi: 4, signed: false, unit: "activation" };
const colors = (pixels: { rgba: Uint8ClampedArray }): number[] => [...new Uint32Array(pixels.rgba.buffer)];
const array = (shape: number[], values: number[]): NdArray => ({ shape, data: Float32Array.from(values) });
const named = (calls: Call[], name: string): Call[] => calls.filter(([call]) => call === name);

describe("pixels", () => {
  it("of a map are its values through the scale; zero is the ground", () => {
    const maps = array([2, 1, 2], [9, 9, 0, 4]);
    expect(colors(mapPixels(maps, 1, scaleOf(layer, 1, theme)))).toEqual([ground, theme.ink[256]]);
  });

  it("that are no finite number are holes, not colours", () => {
    const maps = array([1, 1, 3], [1, Number.NaN, Number.POSITIVE_INFINITY]);
    expect(mapPixels(maps, 0, scaleOf(layer, 0, theme)).holes).toEqual([1, 2]);
  });

  it("agree with looking up each value alone, beyond the ends too", () => {
    const values = Array.from({ length: 101 }, (_, i) => (i - 20) / 17);
    const scale = scaleOf(layer, 0, theme);
    const pixels = mapPixels(array([1, 1, 101], values), 0, scale);
    const alone = values.map((value) => lookUp(scale.lut, Math.fround(value), scale.lo, scale.hi));
    expect([...new Uint32Array(pixels.rgba.buffer)]).toEqual(alone);
  });

  it("of a colour picture are its own", () => {
    const picture: NdArray = { shape: [2, 1, 1, 3], data: Uint8Array.from([0, 0, 0, 10, 20, 30]) };
    expect(colors(rawPixels(picture, 1, 3))).toEqual([packRgb([10, 20, 30])]);
  });

  it("of a grey picture are the same in each channel", () => {
    const picture: NdArray = { shape: [1, 2], data: Uint8Array.from([7, 255]) };
    expect(colors(rawPixels(picture, 0, 1))).toEqual([packRgb([7, 7, 7]), packRgb([255, 255, 255])]);
  });

  it("are blown up unsmoothed, and only shrinking is smoothed", () => {
    recordCanvases();
    const pixels = mapPixels(array([1, 2, 2], [0, 1, 2, 3]), 0, scaleOf(layer, 0, theme));
    for (const [size, smooth] of [[70, false], [1, true]] as const) {
      const calls: Call[] = [];
      drawPixels(recordingContext(calls), pixels, { x: 3, y: 4, width: size, height: size }, theme);
      expect(calls).toContainEqual(["imageSmoothingEnabled =", smooth]);
      expect(named(calls, "drawImage")[0]?.slice(2)).toEqual([0, 0, 2, 2, 3, 4, size, size]);
    }
    vi.restoreAllMocks();
  });

  it("that are holes are joined within a row, never across rows", () => {
    recordCanvases();
    const calls: Call[] = [];
    const values = [Number.NaN, 1, Number.NaN, Number.NaN, Number.NaN, 1];
    const pixels = mapPixels(array([1, 2, 3], values), 0, scaleOf(layer, 0, theme));
    drawPixels(recordingContext(calls), pixels, { x: 0, y: 0, width: 30, height: 20 }, theme);
    expect(named(calls, "rect").map((call) => call.slice(1))).toEqual([
      [0, 0, 10, 10],
      [20, 0, 10, 10],
      [0, 10, 20, 10],
    ]);
    vi.restoreAllMocks();
  });

  it("that are holes are hatched within their own cells only", () => {
    const calls: Call[] = [];
    drawHatch(recordingContext(calls), [{ x: 10, y: 20, width: 5, height: 5 }], theme.error);
    expect(named(calls, "rect")).toEqual([["rect", 10, 20, 5, 5]]);
    expect(calls.findIndex(([name]) => name === "clip")).toBeLessThan(calls.findIndex(([name]) => name === "stroke"));
    expect(named(calls, "lineTo").length).toBeGreaterThan(1);
  });
});

describe("scales", () => {
  it("without extent still leave zero on the ground", () => {
    for (const signed of [false, true]) {
      const scale = scaleOf({ ...layer, lo: 0, hi: 0, signed }, 0, theme);
      expect(colors(mapPixels(array([1, 1, 1], [0]), 0, scale))).toEqual([ground]);
    }
  });

  it("are one for the layer, or each tile's own, and that of a selected unit on another page", () => {
    const own: ColorScale = { ...layer, per_tile: [[0, 1], [0, 2]], selected: [0, 3] };
    expect([0, 1, null].map((tile) => scaleOf(own, tile, theme).hi)).toEqual([1, 2, 3]);
    expect([1, null].map((tile) => scaleOf(layer, tile, theme).hi)).toEqual([4, 4]);
  });
});

describe("reduced maps", () => {
  it("hold means, also at ragged edges, and keep not-a-number visible", () => {
    const maps = array([1, 3, 3], [1, 3, 5, 1, 3, 7, 2, Number.NaN, 9]);
    expect([...reduceMaps(maps, 2).data]).toEqual([2, 6, Number.NaN, 9]);
    expect(reduceMaps(maps, 2).shape).toEqual([1, 2, 2]);
  });

  it("of factor one are the maps themselves", () => {
    const maps = array([1, 1, 1], [1]);
    expect(reduceMaps(maps, 1)).toBe(maps);
  });
});

describe("drawings", () => {
  it("of tiles put each map where picking finds it", () => {
    const outer = recordCanvases();
    const calls: Call[] = [];
    const layout = layoutTiles(616, 9, 2, 2);
    const maps = array([9, 2, 2], Array.from({ length: 36 }, (_, i) => i));
    drawTiles(recordingContext(calls), { maps, scale: layer, layout }, theme);
    const spots = named(calls, "drawImage").map((call) => call.slice(6));
    expect(spots).toEqual(Array.from({ length: 9 }, (_, i) => Object.values(tileRect(layout, i))));
    expect(named(outer, "putImageData")).toHaveLength(9);
    vi.restoreAllMocks();
  });

  it("of strips mark dead units, number every 16th and ring the selected one", () => {
    recordCanvases();
    const calls: Call[] = [];
    const layout = layoutStrips(984, 40, 2, true);
    const dead: NdArray = { shape: [40], data: Uint8Array.from({ length: 40 }, (_, i) => Number(i === 3 || i === 7)) };
    const values = array([2, 40], Array.from({ length: 80 }, () => 1));
    const picture = { values, dead, titles: ["sample 73", "probe mean"], scale: layer, layout, selected: 5 };
    drawStrips(recordingContext(calls), picture, theme);
    const words = named(calls, "fillText").map(([, text]) => text);
    expect(words).toEqual(["sample 73", "probe mean", "dead †", "0", "16", "32", "unit 39"]);
    const marks = named(calls, "fillRect").filter((call) => call[4] === 8);
    expect(marks).toHaveLength(2);
    expect(named(calls, "strokeRect")).toHaveLength(1);
    vi.restoreAllMocks();
  });

  it("of a sequence are one picture with positions across", () => {
    recordCanvases();
    const calls: Call[] = [];
    const { frame } = layoutSequence(792, 3, 10);
    const values = array([3, 10], Array.from({ length: 30 }, (_, i) => i));
    drawSequence(recordingContext(calls), { values, titles: ["input"], scale: layer, frame, selected: null }, theme);
    expect(named(calls, "drawImage")[0]?.slice(2)).toEqual([0, 0, 10, 3, ...Object.values(frame)]);
    expect(named(calls, "fillText").map(([, text]) => text)).toContain("unit ↓ input →");
    vi.restoreAllMocks();
  });
});
