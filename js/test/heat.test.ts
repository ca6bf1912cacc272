import { describe, expect, test } from "vitest";
import type { PanelMap } from "../src/blocks/heat/data.ts";
import { cellEdges, cellOfPixel, fit, nearest, sizes } from "../src/blocks/heat/geometry.ts";
import { heatBar, heatPixels, scaleTicks } from "../src/blocks/heat/pixels.ts";
import { findRegions, paletteSlots } from "../src/blocks/heat/regions.ts";
import { formatEnd, tableRows } from "../src/blocks/heat/table.ts";
import type { Pixels } from "../src/kernel/canvas.ts";
import { GAINED, LOST } from "../src/kernel/looks.ts";

describe("the picture's frame", () => {
  test("a position is drawn at its square's centre, one stride wide", () => {
    const edges = cellEdges([0, 1, 2, 3], 7);
    expect(edges).toEqual([3, 4, 5, 6, 7]);
  });

  test("a last square pushed back to the border keeps cells meeting half way", () => {
    expect(cellEdges([0, 4, 8, 9], 3)).toEqual([-0.5, 3.5, 7.5, 10, 11]);
  });

  test("one square alone fills its own place", () => {
    expect(cellEdges([2], 4)).toEqual([2, 6]);
  });

  test("the margin that no centre reaches belongs to no cell", () => {
    const cells = cellOfPixel([2, 4, 6], 8, 16);
    expect(Array.from(cells)).toEqual([-1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, -1, -1, -1, -1]);
  });

  test("every device pixel agrees with a plain search through the edges", () => {
    const edges = cellEdges([0, 3, 6, 7], 5);
    const cells = cellOfPixel(edges, 12, 37);
    cells.forEach((cell, pixel) => {
      const at = ((pixel + 0.5) * 12) / 37;
      const expected = [0, 1, 2, 3].find((k) => at >= edges[k]! && at < edges[k + 1]!) ?? -1;
      expect(cell).toBe(expected);
    });
  });

  test("the pointer finds the square whose centre is nearest", () => {
    const rows = [0, 4, 8, 9];
    for (let at = -2; at < 14; at += 0.37) {
      const distances = rows.map((row) => Math.abs(row + 1.5 - at));
      expect(nearest(rows, 3, at)).toBe(distances.indexOf(Math.min(...distances)));
    }
  });

  test("a picture keeps its shape in the box", () => {
    expect(fit([28, 28], 280)).toEqual([280, 280]);
    expect(fit([100, 200], 280)).toEqual([280, 140]);
  });

  test("at the dashboard's inner width all figures stand in one line, and narrower views stack or drop them", () => {
    expect(sizes(824, 3)).toEqual({ mode: "wide", overlay: 280, panel: 168, gap: 24 });
    expect(sizes(642, 3)).toEqual({ mode: "stacked", overlay: 280, panel: 196, gap: 24 });
    expect(sizes(476, 3)).toEqual({ mode: "pair", overlay: 230, panel: 230, gap: 16 });
  });

  test("with fewer panels a line takes less, and a picture alone takes what there is", () => {
    expect(sizes(642, 2)).toMatchObject({ mode: "wide", overlay: 280, panel: 168 });
    expect(sizes(824, 0)).toMatchObject({ mode: "alone", overlay: 280 });
    expect(sizes(200, 0)).toMatchObject({ mode: "alone", overlay: 200 });
  });

  test("whatever the width, what stands side by side fits into it", () => {
    for (let inner = 240; inner < 1400; inner += 7) {
      for (const panels of [1, 2, 3, 4]) {
        const { mode, overlay, panel, gap } = sizes(inner, panels);
        const line = {
          wide: overlay + gap + panels * panel + (panels - 1) * 8,
          stacked: Math.max(overlay, panels * panel + (panels - 1) * 24),
          pair: overlay + gap + panel,
          alone: overlay,
        };
        expect(line[mode]).toBeLessThanOrEqual(inner);
      }
    }
  });
});

describe("the heat over the picture", () => {
  const rgb = (pixels: Pixels, at: number): number[] => Array.from(pixels.rgba.slice(4 * at, 4 * at + 3));
  const one = (picture: number[], value: number, opacity: number): number[] =>
    rgb(heatPixels(picture, [value], [1, 1], 1, opacity), 0);

  test("zero is clear: only the dimmed grey picture shows", () => {
    expect(one([200], 0, 1)).toEqual([90, 90, 90]);
    expect(one([200], 0, 0)).toEqual([200, 200, 200]);
  });

  test("the largest loss at full opacity is the pure orange, the largest gain the pure blue", () => {
    expect(one([255], 1, 1)).toEqual([...LOST]);
    expect(one([0], -1, 1)).toEqual([...GAINED]);
  });

  test("an RGB picture is shown in its grey (ITU-R BT.601)", () => {
    const pixels = heatPixels([255, 0, 0, 0, 255, 0], [0, 0], [1, 2], 1, 0);
    expect([rgb(pixels, 0), rgb(pixels, 1)]).toEqual([[76, 76, 76], [150, 150, 150]]);
  });

  test("a pixel without a value yet shows the picture without heat and is a hole", () => {
    const pixels = heatPixels([100, 100], [Number.NaN, 0], [1, 2], 0.5, 0.5);
    expect(rgb(pixels, 0)).toEqual(rgb(pixels, 1));
    expect(pixels.holes).toEqual([0]);
  });

  test("without any change nothing divides by zero", () => {
    expect(rgb(heatPixels([10], [0], [1, 1], 0, 0), 0)).toEqual([10, 10, 10]);
    expect(rgb(heatBar(0, 0, 1, 1), 0)).toEqual([0, 0, 0]);
  });

  test("the scale bar is black at zero and strongest at the larger end", () => {
    const bar = heatBar(-1, 3, 1, 400);
    const sum = (x: number): number => rgb(bar, x).reduce((a, b) => a + b, 0);
    expect(sum(100)).toBeLessThan(6);
    expect(sum(399)).toBeGreaterThan(sum(300));
    expect(rgb(bar, 20)[2]!).toBeGreaterThan(rgb(bar, 20)[0]!);
  });
});

describe("the scale's labels", () => {
  test("both ends and zero are named where they have room", () => {
    expect(scaleTicks(-0.5, 0.5, 280)).toEqual([-0.5, 0, 0.5]);
    expect(scaleTicks(0, 0.9, 280)).toEqual([0, 0.9]);
  });

  test("an end that would cover zero gives way to it", () => {
    expect(scaleTicks(-0.02, 0.9, 280)).toEqual([0, 0.9]);
    expect(scaleTicks(-0.9, 0.02, 280)).toEqual([-0.9, 0]);
  });

  test("a scale without any extent has one label", () => {
    expect(scaleTicks(0, 0, 280)).toEqual([0]);
  });
});

describe("regions of a predicted class", () => {
  const labels = [
    [9, 9, 9, 9, 9],
    [9, 7, 7, 7, 9],
    [9, 7, 7, 7, 9],
    [9, 7, 7, 7, 9],
    [4, 9, 9, 9, 7],
  ].flat();

  test("parts that touch only by a corner are two regions", () => {
    const found = findRegions(labels, 5, 5).map(({ label, area }) => [label, area]);
    expect(found).toEqual([[9, 11], [7, 9], [9, 3], [4, 1], [7, 1]]);
  });

  test("areas sum to the number of computed positions", () => {
    const partly = labels.map((label, k) => (k > 17 ? -1 : label));
    const total = findRegions(partly, 5, 5).reduce((sum, region) => sum + region.area, 0);
    expect(total).toBe(18);
  });

  test("the name stands on the innermost position", () => {
    const seven = findRegions(labels, 5, 5).find((region) => region.label === 7);
    expect([seven?.row, seven?.col]).toEqual([2, 2]);
  });

  test("a crescent's name lies on the crescent, not in its hollow", () => {
    const ring = [1, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1];
    const region = findRegions(ring, 4, 3).find(({ label }) => label === 1)!;
    expect(ring[region.row * 3 + region.col]).toBe(1);
  });
});

describe("class colours", () => {
  test("up to ten classes keep their own colour", () => {
    expect([...paletteSlots([9, 7, 0], 10)]).toEqual([[9, 9], [7, 7], [0, 0]]);
  });

  test("among many classes no two of the legend share a colour while one is free", () => {
    const slots = [...paletteSlots([3, 13, 23, 4], 10).values()];
    expect(new Set(slots).size).toBe(4);
    expect(slots[0]).toBe(3);
  });
});

describe("the table", () => {
  const words = { title: "", note: "", unit: "", low: 0, high: 1, legend: [], shows_classes: false };
  const p: PanelMap = {
    words: { ...words, label: "p(9)", decimals: 2 },
    values: Float32Array.of(0.001, 0.95, 0.9, Number.NaN),
    without: 0.9,
    classes: null,
    classWithout: -1,
  };
  const sums = Float32Array.of(58.86, 61.94, 61.94);
  const map: PanelMap = { ...p, words: { ...words, label: "map 10" }, values: sums, without: 61.94 };
  const label: PanelMap = {
    words: { ...words, label: "class", decimals: 2, shows_classes: true, legend: [[9, "nine", 0.9], [1, "one", 0.1]] },
    values: Float32Array.of(0.84, 0.95, 0.9, Number.NaN),
    without: 0.9,
    classes: Int32Array.of(1, 9, 9, -1),
    classWithout: 9,
  };

  test("says what was, what is and what changed, with a true minus", () => {
    expect(tableRows([p, map, label], 0)).toEqual([
      ["p(9)", "0.90", "0.00", "\u22120.90"],
      ["map 10", "61.9", "58.9", "\u22123.1"],
      ["class", "nine (0.90)", "one (0.84)", "changed"],
    ]);
  });

  test("a gain carries its sign, no change carries none", () => {
    expect(tableRows([p, map, label], 1).map((row) => row[3])).toEqual(["+0.05", "0.0", "same"]);
  });

  test("a position that is not computed yet has no numbers", () => {
    const rows = tableRows([p, map, label], null);
    expect(rows.map((row) => row.slice(2))).toEqual([["…", ""], ["…", ""], ["…", ""]]);
  });

  test("a value that is not a number is said to be none, and no class is a dash", () => {
    const [value, none] = tableRows([p, label], 3);
    expect([value!.slice(2), none![2]]).toEqual([["NaN", ""], "– (NaN)"]);
  });

  test("the ends of a scale are whole, rounded, or small enough to need their digits", () => {
    const ends = [1, 0.583, -0.00321, 0].map((value) => formatEnd(value, 2));
    expect(ends).toEqual(["1", "0.58", "\u22120.00321", "0"]);
  });
});
