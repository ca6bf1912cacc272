import { beforeEach, describe, expect, it } from "vitest";
import { colouredOf, layoutMatrix, makeMatrix, poolMatrix } from "../src/blocks/matrix.ts";
import type { MatrixBlock } from "../src/blocks/types.ts";
import { type BlockHost, floats, mountBlock, whole, written } from "./blocks.ts";

const names = ["cat", "dog"];
const fields = {
  rows: names,
  columns: names,
  unit: "samples",
  low: 0,
  high: 0.1,
  shares: "row",
  row_title: "label",
  column_title: "predicted",
  diagonal: true,
  format: "count",
  empty: "No samples yet",
};
const values = whole([2, 2], [1080, 120, 3, 97]);
let host: BlockHost;

beforeEach(() => {
  host = mountBlock("matrix", makeMatrix);
});

const cells = (count: number): string[] => Array.from({ length: count }, (_, i) => `class ${i}`);

describe("a matrix", () => {
  it("writes numbers into cells that have room, names at its sides, and what its colours mean", () => {
    host.show(fields, { values });
    expect(written(host.calls)).toEqual(
      expect.arrayContaining(["1\u202f080", "120", "3", "97", "cat", "dog", "label", "predicted"]),
    );
    expect(host.texts(".nnw-matrix-ends span")).toEqual(["0", "share of row", "0.100"]);
  });

  it("says a cell with its share under the pointer", () => {
    host.show(fields, { values });
    const [x, y] = [42 + 64 + 5, 6 + 5];
    host.point(host.one(".nnw-matrix-plot"), x, y);
    expect(host.tooltip()).toBe("label cat, predicted dog · 120 of 1\u202f200 (10\u202f%)");
    host.click(host.one(".nnw-matrix-plot"), x, y);
    expect(host.clicks()).toEqual([[0, 1]]);
  });

  it("says values with their unit where it has no shares", () => {
    const correlation = { ...fields, shares: undefined, unit: "correlation", low: -1, high: 1, format: "share" };
    host.show({ ...correlation, row_title: "", column_title: "" }, { values: floats([2, 2], [1, -0.5, Number.NaN, 1]) });
    const plot = host.one(".nnw-matrix-plot");
    host.press(plot, "ArrowRight");
    expect(host.tooltip()).toBe("cat, dog · −0.50 correlation");
    host.press(plot, "ArrowDown", "ArrowLeft");
    expect(host.tooltip()).toBe("dog, cat · NaN correlation");
    expect(host.texts(".nnw-matrix-ends span")).toEqual(["−1.00", "correlation", "+1.00"]);
  });

  it("is a grid for keys and screen readers", () => {
    host.show(fields, { values });
    const plot = host.one(".nnw-matrix-plot");
    expect([plot.role, plot.ariaRowCount, plot.ariaColCount, plot.tabIndex]).toEqual(["grid", "2", "2", 0]);
    host.press(plot, "ArrowDown", "ArrowRight", "Enter");
    expect(host.clicks()).toEqual([[1, 1]]);
  });

  it("hatches what is not a number", () => {
    host.show({ ...fields, shares: undefined }, { values: floats([2, 2], [1, Number.NaN, 0, 1]) });
    expect(host.calls.some(([name]) => name === "clip")).toBe(true);
  });

  it("of a thousand classes is drawn in squares that stand for their largest cell", () => {
    const n = 1000;
    const data = new Array<number>(n * n).fill(0);
    data[3 * n + 7] = 5;
    host.show({ ...fields, rows: cells(n), columns: cells(n), shares: undefined }, { values: whole([n, n], data) });
    expect(host.texts(".nnw-matrix-note")).toEqual(["colours without the diagonal · each square the largest of 10 × 10 cells"]);
    const plot = host.one(".nnw-matrix-plot");
    host.press(plot, "ArrowRight", "ArrowLeft", "Enter");
    expect(host.tooltip()).toBe("largest of 10 × 10: label class 3, predicted class 7 · 5 samples");
    expect(host.clicks()).toEqual([[3, 7]]);
    expect(written(host.calls).length).toBeLessThan(200);
  });

  it("says why it is empty", () => {
    host.show({ ...fields, rows: [], columns: [] }, { values: whole([0, 0], []) });
    expect(host.texts(".nnw-nothing")).toEqual(["No samples yet"]);
    expect(host.one(".nnw-matrix-plot").tabIndex).toBe(-1);
  });
});

describe("what colours a matrix", () => {
  const data = (shares: "row" | "column"): MatrixBlock =>
    ({ ...fields, shares, values: { shape: [2, 3], data: Int32Array.from([1, 0, 3, 0, 0, 0]) } }) as unknown as MatrixBlock;

  it("are shares of a row or a column; of nothing they are nothing", () => {
    expect([...colouredOf(data("row"))]).toEqual([0.25, 0, 0.75, 0, 0, 0]);
    expect([...colouredOf(data("column"))]).toEqual([1, 0, 1, 0, 0, 0]);
  });

  it("is the cell farthest from zero in each square, the diagonal left out, NaN before all", () => {
    const colored = Float32Array.from([9, 1, 0, -2, 9, 0, Number.NaN, 0, 9]);
    const { shown, cells: spokesmen } = poolMatrix(colored, [3, 3], 2, true);
    expect([...shown.data]).toEqual([-2, 0, Number.NaN, 0]);
    expect([...spokesmen]).toEqual([3, 2, 6, 8]);
  });
});

describe("the layout", () => {
  it("has whole cells of at most 64 px, and squares of at least 4 px", () => {
    expect(layoutMatrix(616, [2, 2], 40, 30)).toMatchObject({ size: 64, factor: 1, rows: 2 });
    expect(layoutMatrix(616, [10, 10], 40, 30)).toMatchObject({ size: 44, factor: 1 });
    const large = layoutMatrix(616, [150, 150], 40, 30);
    expect(large).toMatchObject({ factor: 2, rows: 75, columns: 75 });
    expect(large.size).toBeGreaterThanOrEqual(4);
  });
});
