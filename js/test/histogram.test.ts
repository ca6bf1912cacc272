import { beforeEach, describe, expect, it } from "vitest";
import { decades, ticks } from "../src/blocks/axis.ts";
import { heightOf, makeHistogram } from "../src/blocks/histogram.ts";
import { type BlockHost, WIDTH, floats, mountBlock, whole, written } from "./blocks.ts";

const fields = {
  names: [],
  marks: [{ value: 2, text: "threshold" }],
  missing: 0,
  outside: 0,
  unit: "entropy",
  log: false,
  empty: "No samples yet",
};
const arrays = { counts: whole([1, 4], [1, 0, 1000, 3]), edges: floats([5], [0, 1, 2, 3, 4]) };
const [LEFT, RIGHT] = [44, WIDTH - 8];
const middle = (bin: number): number => LEFT + ((bin + 0.5) / 4) * (RIGHT - LEFT);
let host: BlockHost;

beforeEach(() => {
  host = mountBlock("histogram", makeHistogram);
});

/** Heights of the bars of the last drawing. */
function heights(): number[] {
  const start = host.calls.map(([name]) => name).lastIndexOf("clearRect");
  return host.calls.slice(start).flatMap(([name, , , , height]) => (name === "fillRect" ? [height as number] : []));
}

describe("a histogram", () => {
  it("draws a bar for each bin that is not empty, as high as its count, and never invisible", () => {
    host.show(fields, arrays);
    const [one, most, three] = heights();
    expect(heights()).toHaveLength(3);
    expect(most).toBe(176 - 16 - 36);
    expect([one, three]).toEqual([1, 1]);
  });

  it("has a log scale that stays as it is left when new values come", () => {
    host.show(fields, arrays);
    host.click(host.one(".nnw-switch"));
    const [one, , three] = heights();
    expect(one).toBeGreaterThan(8);
    expect(three).toBeGreaterThan(one!);
    host.show(fields, arrays);
    expect(host.one(".nnw-switch").ariaPressed).toBe("true");
    expect(heights()[0]).toBe(one);
  });

  it("stacks groups in the colours of the classes, with a legend", () => {
    const counts = whole([2, 2], [1, 2, 3, 0]);
    host.show({ ...fields, names: ["right", "wrong"] }, { counts, edges: floats([3], [0, 1, 2]) });
    expect(heights()).toHaveLength(3);
    expect(host.texts(".nnw-histogram-key")).toEqual(["right", "wrong"]);
    host.point(host.one(".nnw-histogram-plot"), LEFT + 5, 50);
    expect(host.tooltip()).toBe("entropy 0 to 1.00 · 4: right 1, wrong 3");
  });

  it("says the bin under the pointer and tells Python which one was clicked", () => {
    host.show(fields, arrays);
    host.point(host.one(".nnw-histogram-plot"), middle(2), 50);
    expect(host.tooltip()).toBe("entropy 2.00 to 3.00 · 1\u202f000 values");
    host.click(host.one(".nnw-histogram-plot"), middle(3), 50);
    expect(host.clicks()).toEqual([3]);
    host.click(host.one(".nnw-histogram-plot"), 5, 50);
    expect(host.clicks()).toEqual([3]);
  });

  it("is walked by keys, also over empty bins", () => {
    host.show(fields, arrays);
    const plot = host.one(".nnw-histogram-plot");
    host.press(plot, "ArrowRight", "Enter", "End", " ");
    expect(host.clicks()).toEqual([1, 3]);
    const active = document.getElementById(plot.getAttribute("aria-activedescendant")!)!;
    expect([active.role, active.ariaLabel]).toEqual(["option", "entropy 3.00 to 4.00 · 3 values"]);
  });

  it("writes its marks and its axis", () => {
    host.show(fields, arrays);
    expect(written(host.calls)).toEqual(expect.arrayContaining(["threshold", "entropy", "0", "4"]));
  });

  it("counts what it can't draw", () => {
    host.show({ ...fields, missing: 2, outside: 1 }, arrays);
    expect(host.texts(".nnw-axis-foot > span")).toEqual(["2 values not finite, 1 value outside"]);
  });

  it("says why it is empty", () => {
    const none = { counts: whole([1, 2], [0, 0]), edges: floats([3], [0, 0.5, 1]) };
    host.show(fields, none);
    expect(host.texts(".nnw-nothing")).toEqual(["No samples yet"]);
    host.show({ ...fields, missing: 7 }, none);
    expect(host.texts(".nnw-nothing")).toEqual(["7 values not finite"]);
    expect(host.one(".nnw-histogram-plot").tabIndex).toBe(-1);
  });
});

describe("axes", () => {
  it.each([
    [0, 1, 4, [0, 0.25, 0.5, 0.75, 1]],
    [-0.3, 0.7, 3, [0, 0.5]],
    [0, 1000, 4, [0, 250, 500, 750, 1000]],
    [3, 3, 4, [3]],
    [1e-9, 3e-9, 2, [1e-9, 2e-9, 3e-9]],
  ])("from %d to %d has round numbers", (low, high, most, expected) => expect(ticks(low, high, most)).toEqual(expected));
  it("has decades up to the largest", () => expect(decades(1234)).toEqual([1, 10, 100, 1000]));
  it("a single value stands above the foot of a log scale", () => {
    expect(heightOf(1, 1000, true)).toBeGreaterThan(0);
    expect([heightOf(0, 5, true), heightOf(5, 5, true), heightOf(1, 4, false)]).toEqual([0, 1, 0.25]);
  });
});
