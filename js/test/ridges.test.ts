import { beforeEach, describe, expect, it } from "vitest";
import { makeRidges } from "../src/blocks/ridges.ts";
import { type BlockHost, floats, mountBlock, whole, written } from "./blocks.ts";

const fields = { names: ["0", "100"], unit: "weight", row_title: "step", together: false, missing: 0, empty: "No steps" };
const arrays = { counts: whole([2, 2], [5, 5, 0, 20]), edges: floats([3], [-1, 0, 1]) };
let host: BlockHost;

beforeEach(() => {
  host = mountBlock("ridges", makeRidges);
  host.show(fields, arrays);
});

/** How far each ridge of the last drawing reaches above its floor. */
function reaches(): number[] {
  const start = host.calls.map(([name]) => name).lastIndexOf("clearRect");
  const found: number[] = [];
  let floor = 0;
  for (const [name, , y] of host.calls.slice(start)) {
    if (name === "moveTo") found.push((floor = y as number) * 0);
    if (name === "lineTo") found[found.length - 1] = Math.max(found.at(-1)!, floor - (y as number));
  }
  return found;
}

describe("ridges", () => {
  it("reach equally high each on its own scale, and by their counts on one", () => {
    const [first, second] = reaches();
    expect(first).toBeCloseTo(second!);
    host.click(host.one(".nnw-switch"));
    const [low, high] = reaches();
    expect(low! / high!).toBeCloseTo(5 / 20);
  });

  it("say row and bin under the pointer and tell Python which were clicked", () => {
    const plot = host.one(".nnw-ridges-plot");
    host.point(plot, 500, 28 + 28 + 5);
    expect(host.tooltip()).toBe("step 100 · weight 0 to 1.00 · 20");
    host.click(plot, 100, 30);
    expect(host.clicks()).toEqual([[0, 0]]);
  });

  it("are a grid for the keys", () => {
    const plot = host.one(".nnw-ridges-plot");
    host.press(plot, "ArrowDown", "ArrowRight", "Enter");
    expect(host.clicks()).toEqual([[1, 1]]);
    const cell = document.getElementById(plot.getAttribute("aria-activedescendant")!)!;
    expect([cell.role, cell.ariaColIndex, cell.parentElement!.ariaRowIndex]).toEqual(["gridcell", "2", "2"]);
  });

  it("are named at the left", () => expect(written(host.calls)).toEqual(expect.arrayContaining(["0", "100", "weight"])));

  it("say why there are none", () => {
    host.show({ ...fields, names: [] }, { counts: whole([0, 2], []), edges: arrays.edges });
    expect(host.texts(".nnw-nothing")).toEqual(["No steps"]);
  });
});
