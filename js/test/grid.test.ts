import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BlockView } from "../src/blocks/block.ts";
import { makeGrid } from "../src/blocks/grid/grid.ts";
import type { GridBlock } from "../src/blocks/types.ts";
import { readTheme } from "../src/kernel/color.ts";
import type { Panel } from "../src/kernel/panel.ts";
import { makeTooltip } from "../src/kernel/tooltip.ts";
import type { NdArray } from "../src/kernel/wire.ts";
import { recordCanvases } from "./host.ts";

/** A grid in a host that notes what it is told and draws at once. */
interface Mounted {
  el: HTMLElement;
  said: unknown[];
  show(data: GridBlock): void;
  unmount(): void;
}

function mount(): Mounted {
  const el = document.createElement("div");
  document.body.append(el);
  const said: unknown[] = [];
  const removers: (() => void)[] = [];
  const panel: Partial<Panel> = {
    tooltip: makeTooltip(el),
    command: (name, value) => said.push([name, value]),
    onDispose: (remove) => void removers.push(remove),
    listen: (target, type, handler) => target.addEventListener(type, handler as EventListener),
    redraw: () => view.draw(616, readTheme(el)),
  };
  const view: BlockView<GridBlock> = makeGrid({
    panel: panel as Panel,
    click: (where) => said.push(["click", where]),
    tell: (state) => said.push(["tell", state]),
  });
  el.append(view.element);
  return {
    el,
    said,
    show(data) {
      view.update(data, { title: "conv2" });
      panel.redraw?.();
    },
    unmount: () => removers.forEach((remove) => remove()),
  };
}

let host: Mounted;

beforeEach(() => {
  recordCanvases();
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(616);
  host = mount();
});
afterEach(() => {
  host.unmount();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

const COUNT = 16;
const units = Array.from({ length: COUNT }, (_, i) => i + 64);
const array = (shape: number[], values: Iterable<number>): NdArray => ({ shape, data: Float32Array.from(values) });
const plain: GridBlock = {
  kind: "grid",
  key: "grid",
  title: "",
  note: "",
  layout: "maps",
  values: array([0, 1, 1], []),
  noun: "unit",
  hint: "",
  column: true,
  picture_title: "",
  prediction: [],
  row_titles: [],
  detail_title: "",
  facts: "",
};
/** Each map's four cells hold 0, 1, 2, 3 tenths above the tile's index. */
const page: GridBlock = {
  ...plain,
  title: "Maps",
  hint: "hover: value",
  values: array([COUNT, 2, 2], Array.from({ length: 4 * COUNT }, (_, i) => Math.floor(i / 4) + (i % 4) / 10)),
  units,
  flags: units.map((unit) => (unit === 66 ? "dead †" : "")),
  described: units.map((unit) => `unit ${unit}, max 1.00, mean 0.50`),
  scale: { lo: 0, hi: 15, signed: false, unit: "activation" },
  page: { index: 1, count: 3, text: "65–80 of 144" },
  selected: 65,
  detail_title: "Unit 65",
  facts: "max 1.00 · mean 1.00",
};
const send = (extra: Partial<GridBlock> = {}): void => host.show({ ...page, ...extra });

const find = (selector: string): HTMLElement => host.el.querySelector<HTMLElement>(selector)!;
const grid = (): HTMLElement => find(".nnw-grid-tiles[role=grid]");
const cells = (): HTMLElement[] => [...grid().querySelectorAll<HTMLElement>("[role=gridcell]")].filter((c) => !c.hidden);
const selectedCell = (): number => cells().findIndex((cell) => cell.getAttribute("aria-selected") === "true");
const label = (): string => find(".nnw-grid-board > .nnw-label").textContent ?? "";
const detail = (): string => find(".nnw-grid-unit .nnw-label").textContent ?? "";
const tip = (): HTMLElement => find(".nnw-tooltip");
const press = (key: string): KeyboardEvent => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  grid().dispatchEvent(event);
  return event;
};
const at = (type: string, x: number, y: number, where = grid()): boolean =>
  where.dispatchEvent(new MouseEvent(type, { clientX: x, clientY: y, bubbles: true }));

describe("the grid", () => {
  it("names every tile, its state and the active one", () => {
    send();
    expect(cells()).toHaveLength(COUNT);
    expect(cells()[2]?.getAttribute("aria-label")).toBe("unit 66, max 1.00, mean 0.50");
    expect(cells()[2]?.textContent).toBe("66dead †");
    expect(cells()[2]?.querySelector(".nnw-grid-dashed")).not.toBeNull();
    expect(grid().getAttribute("aria-activedescendant")).toBe(cells()[1]?.id);
    expect(grid().getAttribute("aria-label")).toBe("Maps");
  });

  it("describes a tile by all that stands under it where Python says no more", () => {
    send({ described: undefined, figures: units.map(() => "‡ 0.08"), labels: units.map((unit) => `#${unit}`) });
    expect(cells()[2]?.getAttribute("aria-label")).toBe("unit #66, dead †, ‡ 0.08");
    expect(cells()[2]?.textContent).toBe("#66dead † ‡ 0.08");
    expect(cells()[0]?.querySelector(".nnw-grid-figure")?.textContent).toBe(" 0.08");
  });

  it("asks for the unit, not for its place, when a tile is clicked", () => {
    send();
    at("click", 78 * 3 + 5, 5);
    expect(host.said).toEqual([["click", 67]]);
  });

  it("shows a click at once and keeps it through pictures that do not know it yet", () => {
    send();
    at("click", 5, 5);
    expect(selectedCell()).toBe(0);
    expect(detail()).toBe("Unit 64max 0.300 · mean 0.150");
    send();
    expect(selectedCell()).toBe(0);
    send({ selected: 64, detail_title: "Unit 64", facts: "answered" });
    expect([selectedCell(), detail()]).toEqual([0, "Unit 64answered"]);
    send({ selected: 69 });
    expect(selectedCell()).toBe(5);
  });

  it("keeps what Python says of a unit that is clicked again", () => {
    send();
    at("click", 78 + 5, 5);
    expect(host.said).toEqual([["click", 65]]);
    expect(detail()).toBe("Unit 65max 1.00 · mean 1.00");
  });

  it("gives way to Python when no answer confirms it, though no other picture comes", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    send();
    at("click", 5, 5);
    send();
    expect(selectedCell()).toBe(0);
    vi.advanceTimersByTime(4000);
    expect(selectedCell()).toBe(1);
    vi.useRealTimers();
  });

  it("draws no more once it is taken down, though a click was never answered", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    send();
    at("click", 5, 5);
    host.unmount();
    vi.advanceTimersByTime(4000);
    expect(selectedCell()).toBe(0);
    vi.useRealTimers();
  });

  it.each([
    ["ArrowRight", 66],
    ["ArrowLeft", 64],
    ["ArrowDown", 73],
    ["Home", 64],
    ["End", 79],
  ])("%s walks to unit %d", (key, unit) => {
    send();
    expect(press(key).defaultPrevented).toBe(true);
    expect(host.said).toEqual([["click", unit]]);
  });

  it.each([
    ["[", "step_sample", -1],
    ["]", "step_sample", 1],
    ["{", "step_layer", -1],
    ["}", "step_layer", 1],
  ])("%s sends %s", (key, name, by) => {
    send();
    press(key);
    expect(host.said).toEqual([[name, { by }]]);
  });

  it("keeps its keys from JupyterLab, but not Tab and not shortcuts with Control", () => {
    send();
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    press("x");
    expect(outside).not.toHaveBeenCalled();
    press("Tab");
    expect(outside).toHaveBeenCalledTimes(1);
    grid().dispatchEvent(new KeyboardEvent("keydown", { key: "s", ctrlKey: true, bubbles: true }));
    expect(outside).toHaveBeenCalledTimes(2);
    expect(grid().dataset.lmSuppressShortcuts).toBe("true");
    document.body.removeEventListener("keydown", outside);
  });

  it("says what is under the pointer, and again when a picture changes it", () => {
    send();
    at("pointermove", 78 * 2 + 40, 98 + 40);
    expect(tip().textContent).toBe("unit 74 · row 1, col 1 · 10.3");
    send({ labels: units.map((unit) => `#${unit}`) });
    expect(tip().textContent).toBe("unit #74 · row 1, col 1 · 10.3");
    at("pointerleave", 0, 0);
    expect(tip().hidden).toBe(true);
  });

  it("says which rows and columns of the layer's map a cell stands for", () => {
    send({ size: [7, 8], values: array([1, 2, 2], [0, 1, 2, 3]), units: [64] });
    at("pointermove", 40, 40);
    expect(tip().textContent).toBe("unit 64 · rows 4–6, cols 4–7 · 3.00");
  });

  it("says the weights behind colours, and the levels of colours without a scale", () => {
    const values: NdArray = { shape: [1, 1, 1, 3], data: Uint8Array.from([255, 128, 1]) };
    send({ values, units: [64], scale: { lo: -2, hi: 2, signed: true, unit: "weight" } });
    at("pointermove", 5, 5);
    expect(tip().textContent).toBe("unit 64 · row 0, col 0 · 2.00, 0, −2.00");
    expect(find(".nnw-grid-scale").hidden).toBe(false);
    send({ values, units: [64], scale: undefined });
    expect(tip().textContent).toBe("unit 64 · row 0, col 0 · 255, 128, 1");
    expect(find(".nnw-grid-scale").hidden).toBe(true);
  });

  it("enlarges the selected tile by Enter and steps back by Escape, which else is not its key", () => {
    send();
    expect(press("Escape").defaultPrevented).toBe(false);
    press("Enter");
    expect(label()).toContain("unit 65 enlarged");
    at("pointermove", 2, 2);
    expect(tip().textContent).toBe("unit 65 · row 0, col 0 · 1.00");
    expect(press("Escape").defaultPrevented).toBe(true);
    expect(label()).toBe("Mapshover: value");
  });

  it("has the height it will have, whatever its values", () => {
    send();
    const before = grid().style.height;
    send({ selected: undefined, detail_title: "", facts: "", flags: undefined });
    expect(grid().style.height).toBe(before);
    expect(selectedCell()).toBe(-1);
    expect(find(".nnw-grid-unit").hidden).toBe(true);
  });

  it("shows the input and at most three predictions", () => {
    const prediction: [string, number][] = [["nine", 0.9], ["<b>4</b>", 0.08]];
    send({ picture: { shape: [2, 2], data: Uint8Array.from([0, 1, 2, 3]) }, picture_title: "Input 73", prediction });
    expect(find(".nnw-grid-input").textContent).toBe("Input 73");
    const rows = [...host.el.querySelectorAll<HTMLElement>(".nnw-grid-bar-row")].filter((row) => !row.hidden);
    expect(rows.map((row) => row.textContent)).toEqual(["nine0.90", "<b>4</b>0.08"]);
    send();
    expect(find(".nnw-grid-sample").hidden).toBe(true);
  });

  it("names the ends of the scale of the selected tile where each has its own", () => {
    const ends = (): (string | null)[] => [...host.el.querySelectorAll(".nnw-grid-scale-ends span")].map((end) => end.textContent);
    const own = units.map((unit): [number, number] => [-unit, unit]);
    send({ scale: { lo: -99, hi: 99, signed: true, unit: "weight", per_tile: own, selected: [-3, 3] } });
    expect(ends()).toEqual(["−65.0", "0 · weight", "+65.0"]);
    send({ selected: 3, scale: { lo: -99, hi: 99, signed: true, unit: "weight", per_tile: own, selected: [-3, 3] } });
    expect(ends()).toEqual(["−3.00", "0 · weight", "+3.00"]);
  });
});

describe("pages", () => {
  it.each([
    ["PageUp", 0],
    ["PageDown", 2],
  ])("%s turns to page %d and says for which unit", (key, to) => {
    send();
    press(key);
    expect(host.said).toEqual([["tell", { page: to, selected: 65 }]]);
  });

  it("end with the last one", () => {
    send({ page: { index: 2, count: 3, text: "" } });
    press("PageDown");
    expect(host.said).toEqual([]);
    expect((find("[aria-label='Next page']") as HTMLButtonElement).disabled).toBe(true);
    send({ page: undefined });
    expect(find(".nnw-grid-pager").hidden).toBe(true);
  });

  it("turned right after a click are turned for the unit that was clicked", () => {
    send();
    at("click", 5, 5);
    find("[aria-label='Next page']").click();
    expect(host.said.at(-1)).toEqual(["tell", { page: 2, selected: 64 }]);
  });

  it("turned for a unit are forgotten when another is selected", () => {
    send();
    press("PageDown");
    send({ page: { index: 2, count: 3, text: "" }, units: units.map((unit) => unit + 64) });
    expect(host.said).toHaveLength(1);
    send({ page: { index: 0, count: 3, text: "" }, units: units.map((unit) => unit - 64), selected: 3 });
    expect(host.said.slice(1)).toEqual([["tell", { page: 0, selected: 3 }]]);
  });
});

describe("tiles without a detail column", () => {
  const film: GridBlock = {
    ...plain,
    key: "film",
    title: "Unit 65 over training",
    note: "same scale",
    column: false,
    noun: "step",
    values: array([2, 2, 2], [0, 0, 0, 0, 1, 1, 1, 2]),
    units: [0, 1],
    labels: ["0", "1\u202f240"],
    figures: ["0.07", "0.66"],
    scale: { lo: -2, hi: 2, signed: true, unit: "weight" },
  };

  it("are a group of pictures that can be looked at and not selected", () => {
    host.show(film);
    const group = find(".nnw-grid-tiles");
    expect([group.getAttribute("role"), group.getAttribute("aria-label")]).toEqual(["group", "Unit 65 over training"]);
    expect(group.hasAttribute("tabindex")).toBe(false);
    expect(find(".nnw-grid-detail").hidden).toBe(true);
    expect(label()).toBe("Unit 65 over trainingsame scale");
    const tiles = [...group.querySelectorAll("[role=img]")];
    expect(tiles.map((tile) => tile.textContent)).toEqual(["00.07", "1\u202f2400.66"]);
    expect(tiles[1]?.getAttribute("aria-label")).toBe("step 1\u202f240, 0.66");
    at("click", 5, 5, group);
    at("dblclick", 5, 5, group);
    expect(host.said).toEqual([]);
    at("pointermove", 78 + 60, 60, group);
    expect(tip().textContent).toBe("step 1\u202f240 · row 1, col 1 · 2.00");
  });

  it("and a grid beside them have no id in common", () => {
    const other = mount();
    host.show(page);
    other.show(film);
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    other.unmount();
  });
});

describe("vectors and sequences", () => {
  const rows = (): HTMLElement => find(".nnw-grid-rows:not([hidden])");

  it("name the selected unit for a screen reader and pick by position", () => {
    const values = array([1, 20], Array.from({ length: 20 }, (_, i) => i));
    host.show({ ...plain, layout: "strips", values, row_titles: ["sample 73"], selected: 4, flags: ["dead †"] });
    expect(rows().querySelector("[role=gridcell]")?.textContent).toBe("unit 4, sample 73 4.00");
    expect(rows().getAttribute("aria-label")).toBe("conv2");
    at("click", 88 + 26 * 7 + 3, 5, rows());
    expect(host.said).toEqual([["click", 7]]);
    at("pointermove", 90, 5, rows());
    expect(tip().textContent).toBe("unit 0 · dead † · sample 73 0");
  });

  it("give value and place under the pointer", () => {
    const values = array([4, 10], Array.from({ length: 40 }, (_, i) => i));
    host.show({ ...plain, layout: "sequence", values, row_titles: ["input"], selected: 0 });
    at("pointermove", 88 + 28 * 3 + 5, 6 + 14 * 2 + 5, rows());
    expect(tip().textContent).toBe("unit 2 · input 3 · 23.0");
  });

  it("take the place of tiles when the layer changes, and give it back", () => {
    send();
    at("pointermove", 5, 5);
    host.show({ ...plain, layout: "strips", values: array([1, 3], [1, 2, 3]) });
    expect([find(".nnw-grid-tiles").hidden, tip().hidden]).toEqual([true, true]);
    expect(find(".nnw-grid-parts").classList.contains("nnw-grid-lines")).toBe(true);
    send();
    expect([find(".nnw-grid-tiles").hidden, host.el.querySelector(".nnw-grid-rows:not([hidden])")]).toEqual([false, null]);
  });
});
