import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GridHeader } from "../src/grid/header.ts";
import activations from "../src/views/activations.ts";
import filters from "../src/views/filters.ts";
import { type Frames, type Host, bytes, fakeFrames, mount, recordCanvases } from "./host.ts";

let frames: Frames;
let host: Host;

beforeEach(() => {
  frames = fakeFrames();
  recordCanvases();
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(616);
  host = mount(activations);
});
afterEach(() => {
  host.unmount();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

const COUNT = 16;
const units = Array.from({ length: COUNT }, (_, i) => i + 64);
const header: Partial<GridHeader> = {
  title: "conv2",
  layout: "maps",
  tiles: {
    units,
    labels: units.map(String),
    values: units.map(() => ""),
    flags: units.map((unit) => (unit === 66 ? "dead †" : "")),
    aria: units.map((unit) => `unit ${unit}, max 1.00, mean 0.50`),
  },
  scale: { mode: "layer", lo: 0, hi: 15, signed: false, unit: "activation", per_tile: null },
  page: { index: 1, count: 3, text: "65–80 of 144" },
  selected_tile: 1,
  grid_title: "Maps",
  hint: "hover: value",
  detail_title: "Unit 65",
  detail_facts: "max 1.00 · mean 1.00",
  selection: { unit: 65 },
};
const SPECS = [
  { name: "maps", dtype: "float32", shape: [COUNT, 2, 2] },
  { name: "detail", dtype: "float32", shape: [2, 2] },
];

/** Each map's four cells hold 0, 1, 2, 3 tenths above the tile's index. */
function send(extra: Partial<GridHeader> = {}): void {
  const maps = bytes(Array.from({ length: 4 * COUNT }, (_, i) => Math.floor(i / 4) + (i % 4) / 10), "float32");
  const message = { kind: "frame", seq: 1, channel: "picture", header: { ...header, ...extra }, arrays: SPECS };
  host.model.receive(message, [maps, bytes([1, 1, 1, 1], "float32")]);
  frames.run();
}

const grid = (): HTMLElement => host.el.querySelector(".nnw-tiles[role=grid]") as HTMLElement;
const cells = (): HTMLElement[] => [...grid().querySelectorAll<HTMLElement>("[role=gridcell]")].filter((c) => !c.hidden);
const selectedCell = (): number => cells().findIndex((cell) => cell.getAttribute("aria-selected") === "true");
const press = (key: string): KeyboardEvent => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  grid().dispatchEvent(event);
  frames.run();
  return event;
};
const at = (type: string, x: number, y: number): void => {
  grid().dispatchEvent(new MouseEvent(type, { clientX: x, clientY: y, bubbles: true }));
  frames.run();
};
const commands = (): unknown[] => host.model.of("command").map(({ name, value }) => [name, value]);

describe("the grid", () => {
  it("names every tile, its state and the active one", () => {
    send();
    expect(cells()).toHaveLength(COUNT);
    expect(cells()[2]?.getAttribute("aria-label")).toBe("unit 66, max 1.00, mean 0.50");
    expect(cells()[2]?.textContent).toBe("66dead †");
    expect(cells()[2]?.querySelector(".nnw-dashed")).not.toBeNull();
    expect(grid().getAttribute("aria-activedescendant")).toBe(cells()[1]?.id);
    expect(grid().getAttribute("aria-label")).toBe("Maps");
  });

  it("asks for the unit, not for its place, when a tile is clicked", () => {
    send();
    at("click", 78 * 3 + 5, 5);
    expect(commands()).toEqual([["select", { unit: 67 }]]);
  });

  it("shows a click at once and keeps it through frames that do not know it yet", () => {
    send();
    at("click", 5, 5);
    expect(selectedCell()).toBe(0);
    expect(host.el.querySelector(".nnw-unit .nnw-label")?.textContent).toBe("Unit 64max 0.300 · mean 0.150");
    send();
    expect(selectedCell()).toBe(0);
    send({ selected_tile: 5, selection: { unit: 64 } });
    expect(selectedCell()).toBe(5);
  });

  it("gives way to Python when no answer confirms it, though no other frame comes", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    send();
    at("click", 5, 5);
    send();
    expect(selectedCell()).toBe(0);
    vi.advanceTimersByTime(4000);
    frames.run();
    expect(selectedCell()).toBe(1);
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
    press(key);
    expect(commands()).toEqual([["select", { unit }]]);
  });

  it.each([
    ["[", "step_sample", { by: -1 }],
    ["]", "step_sample", { by: 1 }],
    ["{", "step_layer", { by: -1 }],
    ["}", "step_layer", { by: 1 }],
    ["PageUp", "page", { page: 0 }],
    ["PageDown", "page", { page: 2 }],
  ])("%s sends %s", (key, name, value) => {
    send();
    press(key);
    expect(commands()).toEqual([[name, value]]);
  });

  it("does not turn past the last page", () => {
    send({ page: { index: 2, count: 3, text: "" } });
    press("PageDown");
    expect(commands()).toEqual([]);
    expect(host.el.querySelector<HTMLButtonElement>("[aria-label='Next page']")?.disabled).toBe(true);
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

  it("says what is under the pointer, and again when a frame changes it", () => {
    send();
    at("pointermove", 78 * 2 + 40, 98 + 40);
    const tip = (): HTMLElement => host.el.querySelector(".nnw-tooltip") as HTMLElement;
    expect(tip().textContent).toBe("unit 74 · row 1, col 1 · 10.3");
    const tiles = { ...header.tiles, labels: units.map((unit) => `#${unit}`) } as GridHeader["tiles"];
    send({ tiles });
    expect(tip().textContent).toBe("unit #74 · row 1, col 1 · 10.3");
    at("pointerleave", 0, 0);
    expect(tip().hidden).toBe(true);
  });

  it("enlarges the selected tile by Enter and steps back by Escape, which else is not its key", () => {
    send();
    expect(press("Escape").defaultPrevented).toBe(false);
    press("Enter");
    expect(host.el.querySelector(".nnw-board .nnw-label")?.textContent).toContain("unit 65 enlarged");
    at("pointermove", 2, 2);
    expect(host.el.querySelector(".nnw-tooltip")?.textContent).toBe("unit 65 · row 0, col 0 · 1.00");
    expect(press("Escape").defaultPrevented).toBe(true);
    expect(host.el.querySelector(".nnw-board .nnw-label")?.textContent).not.toContain("enlarged");
  });

  it("stands in its final place with empty frames before the first result", () => {
    const state = { kind: "waiting", text: "Waiting for the first snapshot" };
    host.model.receive({ kind: "frame", seq: 1, channel: "picture", header: { title: "conv2", state }, arrays: [] });
    frames.run();
    expect(cells()).toHaveLength(8);
    expect(cells().every((cell) => cell.querySelector(".nnw-dashed"))).toBe(true);
    at("click", 5, 5);
    expect(commands()).toEqual([]);
    expect(host.model.of("ack")).toHaveLength(1);
  });

  it("has the height it will have, whatever its values", () => {
    send();
    const before = grid().style.height;
    send({ selected_tile: null, detail_title: "", tiles: { ...header.tiles, flags: [] } as unknown as GridHeader["tiles"] });
    expect(grid().style.height).toBe(before);
  });
});

describe("vectors and sequences", () => {
  const strip = (): HTMLElement => host.el.querySelector(".nnw-rows:not([hidden])") as HTMLElement;

  it("name the selected unit for a screen reader and pick by position", () => {
    const rows = { name: "rows", dtype: "float32", shape: [1, 20] };
    const strips = { title: "fc", layout: "strips", row_titles: ["sample 73"], selected_tile: 4 };
    const message = { kind: "frame", seq: 1, channel: "picture", header: strips, arrays: [rows] };
    host.model.receive(message, [bytes(Array.from({ length: 20 }, (_, i) => i), "float32")]);
    frames.run();
    expect(strip().querySelector("[role=gridcell]")?.textContent).toBe("unit 4");
    strip().dispatchEvent(new MouseEvent("click", { clientX: 88 + 26 * 7 + 3, clientY: 5 }));
    expect(commands()).toEqual([["select", { unit: 7 }]]);
  });

  it("give value and place under the pointer", () => {
    const rows = { name: "rows", dtype: "float32", shape: [4, 10] };
    const sequence = { title: "gru", layout: "sequence", selected_tile: 0, row_titles: ["input"] };
    const message = { kind: "frame", seq: 1, channel: "picture", header: sequence, arrays: [rows] };
    host.model.receive(message, [bytes(Array.from({ length: 40 }, (_, i) => i), "float32")]);
    frames.run();
    strip().dispatchEvent(new MouseEvent("pointermove", { clientX: 88 + 28 * 3 + 5, clientY: 6 + 14 * 2 + 5 }));
    expect(host.el.querySelector(".nnw-tooltip")?.textContent).toBe("unit 2 · input 3 · 23.0");
  });
});

it("filters show one unit over training, on the scale of its own when each has its own", () => {
  host.unmount();
  host = mount(filters);
  const film = { title: "Unit 65 over training", labels: [["0", "0.07"], ["120", "0.66"]] as [string, string][] };
  const scale = { mode: "map" as const, lo: -9, hi: 9, signed: true, unit: "weight", per_tile: units.map((): [number, number] => [-2, 2]) };
  const arrays = [...SPECS, { name: "film", dtype: "float32", shape: [2, 2, 2] }];
  const maps = bytes(Array.from({ length: 4 * COUNT }, () => 1), "float32");
  const message = { kind: "frame", seq: 1, channel: "picture", header: { ...header, film, scale }, arrays };
  host.model.receive(message, [maps, bytes([1, 1, 1, 1], "float32"), bytes([0, 0, 0, 0, 1, 1, 1, 2], "float32")]);
  frames.run();
  const row = host.el.querySelector(".nnw-film") as HTMLElement;
  expect(row.hidden).toBe(false);
  expect(row.textContent).toContain("Unit 65 over training");
  expect([...row.querySelectorAll(".nnw-tile-label")].map((label) => label.textContent)).toEqual(["00.07", "1200.66"]);
  const ends = [...host.el.querySelectorAll(".nnw-scale-ends span")].map((end) => end.textContent);
  expect(ends).toEqual(["−2.00", "0 · weight", "+2.00"]);
});
