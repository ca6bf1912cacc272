import { beforeEach, describe, expect, it, vi } from "vitest";
import { makeStrip, stripCells } from "../src/blocks/strip.ts";
import { type BlockHost, mountBlock, whole } from "./blocks.ts";
import type { Sample } from "./host.ts";

const fields = {
  labels: ["7", "<b>1</b>", "4"],
  predicted: ["7", "9", "4"],
  values: ["0.0200", "3.10", "0.500"],
  value_name: "loss",
  wrap: false,
  selection: true,
  empty: "Nothing selected\nClick a point to look at it.",
};
const pictures: Sample = { dtype: "uint8", shape: [3, 2, 2], data: Array.from({ length: 12 }, (_, i) => 20 * i) };
const samples = whole([5], [1240, 12, 30, 31, 32]);
let host: BlockHost;

beforeEach(() => {
  host = mountBlock("strip", makeStrip);
});

describe("a strip", () => {
  it("shows pictures, label and prediction, value and index, and how many more there are", () => {
    host.show(fields, { pictures, samples });
    expect(host.texts(".nnw-strip-label")).toEqual(["7 → 7", "<b>1</b> → 9", "4 → 4"]);
    expect(host.texts(".nnw-strip-wrong")).toEqual(["<b>1</b> → 9"]);
    expect(host.texts(".nnw-strip-value")).toEqual(["0.0200", "3.10", "0.500"]);
    expect(host.texts(".nnw-strip-index")).toEqual(["#1\u202f240", "#12", "#30"]);
    expect(host.texts(".nnw-strip-more")).toEqual(["+2"]);
    expect(host.calls.filter(([name]) => name === "putImageData")).toHaveLength(3);
  });

  it("paints pictures again only when they are new", () => {
    host.show(fields, { pictures, samples });
    host.state({ selection: { sample: 12 } });
    expect(host.calls.filter(([name]) => name === "putImageData")).toHaveLength(3);
    expect(host.all(".nnw-strip-cell").map((cell) => cell.ariaSelected)).toEqual(["false", "true", "false"]);
  });

  it("says all it knows under the pointer and to a screen reader", () => {
    host.show(fields, { pictures, samples });
    const cell = host.all(".nnw-strip-cell")[1]!;
    host.point(cell.firstElementChild!);
    expect(host.tooltip()).toBe("Sample 12: label <b>1</b>, predicted 9, loss 3.10");
    expect(cell.ariaLabel).toBe(host.tooltip());
  });

  it("tells Python which one was clicked, by pointer and by keys", () => {
    host.show(fields, { pictures, samples });
    host.click(host.all(".nnw-strip-picture")[1]!);
    host.press(host.one(".nnw-strip-cells"), "ArrowRight", "Enter", "ArrowRight");
    expect(host.clicks()).toEqual([1, 2]);
  });

  it("shows cards of words where samples have no pictures", () => {
    host.show({ ...fields, predicted: [], values: [] }, { samples });
    expect(host.texts(".nnw-strip-label")).toEqual(fields.labels.map((label) => `label ${label}`));
    expect(host.texts(".nnw-strip-picture, .nnw-strip-value")).toEqual([]);
  });

  it("copies the indices of all, not only of those on show, and clears the selection of all views", async () => {
    const writeText = vi.fn().mockResolvedValue(undefined);
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    host.show(fields, { pictures, samples });
    const [copy, clear] = host.all(".nnw-strip-link");
    host.click(copy!);
    expect(writeText).toHaveBeenCalledWith("[1240, 12, 30, 31, 32]");
    await vi.waitFor(() => expect(copy!.textContent).toBe("Copied"));
    host.click(clear!);
    expect(host.commands()).toContainEqual(["select", { selected: [] }]);
    vi.unstubAllGlobals();
  });

  it("says why it is empty, and how to fill it", () => {
    host.show({ ...fields, labels: [], predicted: [], values: [] }, { samples: whole([0], []) });
    expect(host.texts(".nnw-nothing div:not(:has(div))")).toEqual(["Nothing selected", "Click a point to look at it."]);
    expect(host.texts(".nnw-strip-link")).toEqual([]);
  });

  it("is a list of one tab stop, named by its title", () => {
    host.show({ ...fields, title: "Nearest" }, { pictures, samples });
    const list = host.one(".nnw-strip-cells");
    expect([list.role, list.tabIndex, list.ariaLabel]).toEqual(["listbox", 0, "Nearest"]);
  });
});

describe("cells in a width", () => {
  it("are all samples where they fit, else the last says how many more", () => {
    expect(stripCells(616, { total: 3, shown: 3, wrap: false })).toEqual({ columns: 9, cells: 3, more: 0 });
    expect(stripCells(616, { total: 20, shown: 12, wrap: false })).toEqual({ columns: 9, cells: 8, more: 12 });
    expect(stripCells(2000, { total: 13, shown: 13, wrap: false })).toEqual({ columns: 12, cells: 11, more: 2 });
    expect(stripCells(616, { total: 12, shown: 12, wrap: true })).toEqual({ columns: 9, cells: 12, more: 0 });
  });
});
