import { beforeEach, describe, expect, it } from "vitest";
import { makeTable } from "../src/blocks/table.ts";
import { type BlockHost, floats, mountBlock, whole } from "./blocks.ts";

const fields = {
  columns: [
    { name: "class", format: "text", texts: ["cat", "<i>Dog</i>", "ant"] },
    { name: "F1", format: "share", number: 0 },
    { name: "n", format: "count", number: 1 },
  ],
  total: 3,
  descending: true,
  empty: "No classes",
};
const arrays = {
  numbers: floats([2, 3], [0.5, Number.NaN, 0.9, 1240, 7, 7]),
  rows: whole([3], [10, 11, 12]),
};
let host: BlockHost;
const column = (k: number): string[] => host.texts(`tbody tr td:nth-child(${k})`);
const head = (k: number): HTMLElement => host.all(".nnw-table-sort")[k]!;

beforeEach(() => {
  host = mountBlock("table", makeTable);
  host.show(fields, arrays);
});

describe("a table", () => {
  it("writes each column in its format, and text as text", () => {
    expect([column(1), column(2), column(3)]).toEqual([
      ["cat", "<i>Dog</i>", "ant"],
      ["0.50", "NaN", "0.90"],
      ["1\u202f240", "7", "7"],
    ]);
    expect(host.all("tbody i")).toEqual([]);
  });

  it("is sorted by a click on a name: largest first, then smallest, NaN last both times", () => {
    host.click(head(1));
    expect(column(2)).toEqual(["0.90", "0.50", "NaN"]);
    expect(head(1).parentElement!.ariaSort).toBe("descending");
    host.click(head(1));
    expect(column(2)).toEqual(["0.50", "0.90", "NaN"]);
    host.click(head(0));
    expect(column(1)).toEqual(["<i>Dog</i>", "ant", "cat"]);
  });

  it("keeps rows with equal values in their order", () => {
    host.click(head(2));
    expect(column(1)).toEqual(["cat", "<i>Dog</i>", "ant"]);
  });

  it("stays sorted as chosen when new values come, until Python wishes another order", () => {
    host.click(head(1));
    host.show(fields, arrays);
    expect(column(2)).toEqual(["0.90", "0.50", "NaN"]);
    host.show({ ...fields, sort: "n", descending: false }, arrays);
    expect(column(3)).toEqual(["7", "7", "1\u202f240"]);
  });

  it("tells Python the row as given, whatever the order", () => {
    host.click(head(1));
    host.click(host.all("tbody td")[0]!);
    expect(host.clicks()).toEqual([12]);
  });

  it("is walked row by row", () => {
    const grid = host.one(".nnw-table-scroll");
    host.press(grid, "ArrowDown", "Enter", "End", "Enter");
    expect(host.clicks()).toEqual([11, 12]);
    expect(host.all("tr.nnw-cursor-current")).toHaveLength(1);
    expect(grid.getAttribute("aria-activedescendant")).toBe(host.one("tr.nnw-cursor-current").id);
  });

  it("leaves keys on a column's name to that", () => {
    host.press(head(1), "Enter", "ArrowDown");
    expect(host.clicks()).toEqual([]);
  });

  it("marks the sample that all views show, and shows its card under the pointer", () => {
    const more = { ...arrays, samples: whole([3], [5, 6, 7]) };
    host.show(fields, more, { selection: { sample: 6 } });
    const marked = (): string[] => host.all("tbody tr").map((row) => row.ariaSelected!);
    expect(marked()).toEqual(["false", "true", "false"]);
    host.state({ selection: { sample: 7 } });
    expect(marked()).toEqual(["false", "false", "true"]);
    host.point(host.all("tbody td")[0]!);
    expect(host.texts(".nnw-sample-title")).toEqual(["Sample 5"]);
  });

  it("says how many rows it leaves out, and that there are none", () => {
    host.show({ ...fields, total: 12000, sort: "F1" }, arrays);
    expect(host.texts(".nnw-table-note")).toEqual(["first 3 of 12\u202f000 by F1"]);
    host.show({ ...fields, total: 0 }, { numbers: floats([2, 0], []), rows: whole([0], []) });
    expect(host.texts(".nnw-nothing")).toEqual(["No classes"]);
  });
});
