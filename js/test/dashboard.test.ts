import { describe, expect, test } from "vitest";
import { type LayerRow, matchingRows, openRows, parentRow } from "../src/dashboard/layers";
import { neighbour } from "../src/dashboard/picker";
import { meter, sparkPath } from "../src/dashboard/status";
import { splitName } from "../src/kernel/name";

const row = (name: string, depth: number, group = false, type = group ? "" : "Conv2d"): LayerRow => {
  return { name, short: name.split(".").at(-1)!, depth, group, units: group ? null : 8, alive: null, dead: 0, type, note: "" };
};
const rows = [
  row("conv1", 0),
  row("block", 0, true),
  row("block.a", 1, true),
  row("block.a.conv", 2),
  row("block.relu", 1, false, "ReLU"),
  row("fc", 0, false, "Linear"),
];

describe("the layer list", () => {
  test("a name is cut so that both parts make it up again and the end stays short", () => {
    for (const name of ["conv2", "block1.layers.0.conv2", "𝛼𝛽𝛾𝛿𝜀𝜁", "a", ""]) {
      const [start, end] = splitName(name);
      expect(start + end).toBe(name);
      expect(Array.from(end).length).toBeLessThanOrEqual(3);
    }
    expect(splitName("self_attention_output")).toEqual(["self_attention_out", "put"]);
  });

  test("a folded group hides all it holds and nothing after it", () => {
    expect(openRows(rows, new Set(["block"]))).toEqual([0, 1, 5]);
    expect(openRows(rows, new Set(["block.a"]))).toEqual([0, 1, 2, 4, 5]);
    expect(openRows(rows, new Set())).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("a group folded inside a folded group does not open early", () => {
    expect(openRows(rows, new Set(["block", "block.a"]))).toEqual([0, 1, 5]);
  });

  test("a row knows the group it lies in", () => {
    expect(rows.map((_, index) => parentRow(rows, index))).toEqual([-1, -1, 1, 2, 1, -1]);
  });

  test("a search finds layers by name and type, each under its groups", () => {
    expect(matchingRows(rows, "CONV2D")).toEqual([0, 1, 2, 3]);
    expect(matchingRows(rows, "a.conv")).toEqual([1, 2, 3]);
    expect(matchingRows(rows, "relu")).toEqual([1, 4]);
    expect(matchingRows(rows, "none")).toEqual([]);
  });

  test("stepping through layers skips groups and stops at the ends", () => {
    expect(neighbour(rows, "conv1", 1)).toBe("block.a.conv");
    expect(neighbour(rows, "block.relu", -1)).toBe("block.a.conv");
    expect(neighbour(rows, "conv1", -1)).toBeNull();
    expect(neighbour(rows, "fc", 1)).toBeNull();
  });
});

describe("the sparkline", () => {
  const heights = (path: string) => path.split(/[ML]/).slice(1).map((pair) => Number(pair.split(" ")[1]));

  test("equal factors are equal steps down", () => {
    const [a, b, c] = heights(sparkPath([1, 0.1, 0.01], 72, 20));
    expect(b! - a!).toBeCloseTo(c! - b!, 1);
    expect(c).toBeGreaterThan(a!);
  });

  test("a loss that is not finite breaks the line", () => {
    expect(sparkPath([1, Number.NaN, 0.5, null, 0.2], 72, 20).match(/M/g)).toHaveLength(3);
  });

  test("zero sits on the floor, a flat line in the middle", () => {
    expect(heights(sparkPath([1, 0, 0.1], 72, 20))[1]).toBe(19);
    expect(heights(sparkPath([2, 2], 72, 20))).toEqual([10, 10]);
  });

  test("fewer than two values draw nothing", () => {
    expect(sparkPath([1], 72, 20)).toBe("");
    expect(sparkPath([], 72, 20)).toBe("");
  });
});

describe("the cost meter", () => {
  test("the end mark is the budget", () => {
    expect(meter(0.018, 0.05)).toEqual({ bar: expect.closeTo(0.36, 9), mark: 1 });
  });

  test("a cost above the budget runs past the mark", () => {
    expect(meter(0.1, 0.05)).toEqual({ bar: 1, mark: 0.5 });
  });
});
