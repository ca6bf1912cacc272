import { beforeEach, describe, expect, it } from "vitest";
import { makeBars } from "../src/blocks/bars.ts";
import { type BlockHost, floats, mountBlock, whole } from "./blocks.ts";

const fields = {
  names: ["cat", "dog", "a <b>bird</b> with a very long name indeed, long beyond reason and longer than any label that somebody would ever give to a bird or to a plane"],
  unit: "accuracy",
  low: -0.5,
  high: 0.5,
  reference_name: "overall",
  format: "share",
  empty: "No classes",
};
const arrays = { values: floats([3], [0.25, -0.5, Number.NaN]), places: whole([3], [2, 0, 1]) };
let host: BlockHost;

beforeEach(() => {
  host = mountBlock("bars", makeBars);
});

describe("bars", () => {
  it("stand in the order sent, with names that keep their ends and numbers", () => {
    host.show(fields, arrays);
    const [bird, ...rest] = host.texts(".nnw-bars-name");
    expect(bird).toMatch(/^a <b>bird.*…/);
    expect(rest).toEqual(["cat", "dog"]);
    expect(host.texts(".nnw-bars-value")).toEqual(["NaN", "0.25", "−0.50"]);
  });

  it("have their names above them where one is too long to stand beside", () => {
    host.show(fields, arrays);
    expect(host.one(".nnw-bars").classList).toContain("nnw-bars-above");
    host.show({ ...fields, names: ["cat", "dog", "bird"] }, arrays);
    expect(host.one(".nnw-bars").classList).not.toContain("nnw-bars-above");
  });

  it("reach from zero to their value, to either side; NaN has none", () => {
    host.show(fields, arrays);
    const spans = host.all(".nnw-bars-fill").map(({ hidden, style }) => (hidden ? "none" : `${style.left} ${style.width}`));
    expect(spans).toEqual(["none", "50% 25%", "0% 50%"]);
    expect(host.all(".nnw-bars-missing")).toHaveLength(1);
  });

  it("show an interval where one is sent, and say it under the pointer", () => {
    host.show(fields, { ...arrays, spread: floats([2, 3], [0, -0.5, 0, 0.5, -0.25, 0]) });
    const [, cat] = host.all(".nnw-bars-row");
    const whisker = cat!.querySelector<HTMLElement>(".nnw-bars-whisker")!;
    expect([whisker.hidden, whisker.style.left, whisker.style.width]).toEqual([false, "50%", "50%"]);
    host.point(cat!.querySelector(".nnw-bars-track")!);
    expect(host.tooltip()).toBe("cat: accuracy 0.25 (0.00 to 0.50)");
  });

  it("tell Python which one was clicked, by its place as given", () => {
    host.show(fields, arrays);
    host.click(host.all(".nnw-bars-row")[1]!);
    expect(host.clicks()).toEqual([0]);
  });

  it("are one tab stop: arrows walk, Enter clicks, the current one is named", () => {
    host.show(fields, arrays);
    const list = host.one(".nnw-bars-list");
    expect([list.tabIndex, list.getAttribute("role"), list.ariaLabel]).toEqual([0, "listbox", "accuracy"]);
    host.press(list, "ArrowDown", "ArrowDown", "ArrowDown", "Enter");
    expect(host.clicks()).toEqual([1]);
    const active = document.getElementById(list.getAttribute("aria-activedescendant")!)!;
    expect(active.ariaLabel).toBe("dog: accuracy −0.50");
    expect(host.tooltip()).toBe("dog: accuracy −0.50");
  });

  it("say what they are compared with", () => {
    host.show({ ...fields, reference: 0.1 }, arrays);
    expect(host.texts(".nnw-bars-foot")).toEqual(["accuracy · ┆ overall 0.10"]);
  });

  it("say how many are left out", () => {
    host.show(fields, { ...arrays, places: whole([2], [1, 0]) });
    expect(host.texts(".nnw-bars-value")).toEqual(["−0.50", "0.25"]);
    expect(host.texts(".nnw-bars-foot")).toEqual(["accuracy · first 2 of 3"]);
  });

  it("say in words that there are none", () => {
    host.show({ ...fields, names: [] }, { values: floats([0], []), places: whole([0], []) });
    expect(host.texts(".nnw-nothing")).toEqual(["No classes"]);
    expect(host.one(".nnw-bars-list").tabIndex).toBe(-1);
  });
});
