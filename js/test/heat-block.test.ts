import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeHeat } from "../src/blocks/heat.ts";
import type { PanelWords } from "../src/blocks/types.ts";
import type { OptionHeader } from "../src/kernel/header.ts";
import { type Call, type Frames, type Sample, type ViewHost, fakeFrames, mountView, recordCanvases } from "./host.ts";

const SIZE = 8;
const PLACES = [0, 2, 4];
const P = [0.9, 0.8, 0.7, 0.9, 0.6, 0.1, 0.9, 0.9, 0.9];
const SUMS = [5, 5, 5, 5, 5, 4, 5, 5, 5];
const CLASSES = [9, 9, 9, 9, 9, 4, 9, 9, 9];

let frames: Frames;
let host: ViewHost;
let calls: Call[];

const panelWords = (title: string, more: Partial<PanelWords>): PanelWords => ({
  title,
  note: "",
  label: title,
  unit: "",
  low: 0,
  high: 1,
  shows_classes: false,
  legend: [],
  ...more,
});

const legend: PanelWords["legend"] = [[9, "9", 8 / 9], [4, "<b>four</b>", 1 / 9], [2, "two", 0]];
const fields = {
  title: "Probability of 9 lost",
  note: "average",
  unit: "probability lost",
  low: 0,
  high: 0.5,
  decimals: 2,
  columns: ["uncovered", "covered", "change"],
  options: ["map_layer"],
  clickable: false,
  squares: { rows: PLACES, cols: PLACES, size: [4, 4] },
  panels: [
    panelWords("p(9)", { unit: "probability", decimals: 2 }),
    panelWords("Map 3 of `conv1`", { high: 5, unit: "summed activity" }),
    panelWords("Predicted class", { shows_classes: true, decimals: 2, legend }),
  ],
};
const options: OptionHeader[] = [
  { name: "target", label: "Target", kind: "dropdown", value: 9, choices: [[9, "9"]] },
  { name: "map_layer", label: "Map of", kind: "dropdown", value: "conv1", choices: [["conv1", "a"], ["conv2", "b"]] },
];
const image = (value: number): number[] => new Array<number>(SIZE * SIZE).fill(value);
const alone = { ...fields, squares: undefined, panels: [], options: [] };

/** A picture of 8 × 8 under a square of 4 × 4 at 3 × 3 places; p falls most at row 2, col 4. */
function send({ p = P, computed = new Array<number>(9).fill(1), changed = {} } = {}): void {
  const cells = [0.9, ...p, 5, ...SUMS, 0.9, ...new Array<number>(9).fill(0.75)];
  const arrays: Record<string, Sample> = {
    "heat/picture": { dtype: "uint8", shape: [SIZE, SIZE], data: image(128) },
    "heat/values": { dtype: "float32", shape: [SIZE, SIZE], data: image(0.25) },
    "heat/cells": { dtype: "float32", shape: [3, 10], data: cells },
    "heat/classes": { dtype: "int32", shape: [1, 10], data: [9, ...CLASSES] },
    "heat/computed": { dtype: "uint8", shape: [3, 3], data: computed },
  };
  host.show([{ kind: "heat", fields: { ...fields, ...changed } }], arrays, { options });
}

/** The same picture without squares and panels; row 3, col 5 is strongest, row 0, col 1 unknown. */
function sendAlone(changed = {}): void {
  const values = image(0.25);
  values[3 * SIZE + 5] = -0.5;
  values[1] = Number.NaN;
  const arrays: Record<string, Sample> = { "heat/values": { dtype: "float32", shape: [SIZE, SIZE], data: values } };
  host.show([{ kind: "heat", fields: { ...alone, ...changed } }], arrays);
}

const find = <E extends Element = HTMLElement>(selector: string): E => host.el.querySelector<E>(selector)!;
const place = (): string => find(".nnw-heat-table th").textContent ?? "";
const covered = (): string => find(".nnw-heat-table tbody td:nth-child(3)").textContent ?? "";
const stage = (): HTMLElement => find(".nnw-heat-stage");
const centre = (): string[] => ["x", "y"].map((axis) => stage().style.getPropertyValue(`--nnw-centre-${axis}`));

function point(type: string, figure: string, x: number, y: number): void {
  const names = ["p", "map", "class"];
  const panel = `.nnw-heat-panel:nth-child(${names.indexOf(figure) + 1})`;
  const frame = find(`${names.includes(figure) ? panel : ".nnw-heat-overlay"} .nnw-heat-frame`);
  frame.getBoundingClientRect = () => ({ x: 0, y: 0, left: 0, top: 0, width: 80, height: 80 }) as DOMRect;
  frame.dispatchEvent(new MouseEvent(type, { clientX: x, clientY: y, bubbles: true }));
}

function press(key: string): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  stage().dispatchEvent(event);
  return event;
}

beforeEach(() => {
  vi.useFakeTimers();
  frames = fakeFrames();
  calls = recordCanvases();
  host = mountView({ heat: makeHeat }, frames);
  send();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

describe("the square", () => {
  test("starts where the target's score changes most", () => {
    expect(place()).toBe("Square at row 2, col 4");
    expect(covered()).toBe("0.10");
  });

  test("follows the pointer over any of the four figures, one place in all", () => {
    for (const figure of ["overlay", "p", "map", "class"]) {
      point("pointermove", figure, 10, 75);
      expect(place()).toBe("Square at row 4, col 0");
      expect(centre()).toEqual(["25%", "75%"]);
      point("pointermove", figure, 70, 5);
      expect(place()).toBe("Square at row 0, col 4");
    }
  });

  test("stays where a click put it until Esc frees it", () => {
    point("click", "p", 10, 10);
    point("pointermove", "p", 70, 70);
    expect(place()).toBe("Fixed at row 0, col 0");
    press("Escape");
    point("pointermove", "p", 70, 70);
    expect(place()).toBe("Square at row 4, col 4");
  });

  test("moves by a stride with the arrow keys, stops at the border, and keeps the keys from the notebook", () => {
    expect(press("ArrowLeft").defaultPrevented).toBe(true);
    expect(place()).toBe("Square at row 2, col 2");
    for (let k = 0; k < 5; k++) press("ArrowUp");
    expect(place()).toBe("Square at row 0, col 2");
    const heard = vi.fn();
    document.addEventListener("keydown", heard);
    press("x");
    document.removeEventListener("keydown", heard);
    expect(heard).not.toHaveBeenCalled();
  });

  test("stays at its place when a new frame comes", () => {
    press("ArrowUp");
    send();
    expect(place()).toBe("Square at row 0, col 4");
  });

  test("says when its place is not computed yet", () => {
    press("ArrowDown");
    send({ computed: [1, 1, 1, 1, 1, 1, 1, 1, 0] });
    expect(covered()).toBe("…");
    point("pointermove", "p", 60, 60);
    expect(find(".nnw-tooltip").textContent).toBe("square at row 4, col 4 · not computed yet");
  });
});

describe("the figures", () => {
  test("tooltips give the value under the pointer with its unit, and nothing over the uncovered margin", () => {
    point("pointermove", "p", 60, 40);
    expect(find(".nnw-tooltip").textContent).toBe("square at row 2, col 4 · probability 0.10");
    point("pointermove", "p", 2, 2);
    expect(find(".nnw-tooltip").hidden).toBe(true);
    point("pointermove", "overlay", 15, 25);
    expect(find(".nnw-tooltip").textContent).toBe("pixel row 2, col 1 · probability lost 0.25");
  });

  test("positions that are not computed are hatched in grey, values that are not finite as errors, others not", () => {
    const hatches = (change: Parameters<typeof send>[0]): unknown[] => {
      calls.length = 0;
      send(change);
      const clips = calls.flatMap(([name], k) => (name === "clip" ? [k] : []));
      return clips.map((k) => calls.slice(k).find(([name]) => name === "strokeStyle =")?.[1]);
    };
    const [grey, error] = ["#e0e0e0", "#d32f2f"];
    expect(hatches({})).toEqual([]);
    expect(hatches({ computed: [1, 1, 1, 1, 1, 1, 1, 1, 0] })).toEqual([grey, grey, grey]);
    expect(hatches({ p: [...P.slice(0, 8), Number.NaN] })).toEqual([error]);
  });

  test("names are text, never markup; a layer's name is set as code", () => {
    expect(find(".nnw-heat-legend").textContent).toContain("<b>four</b>");
    expect(find(".nnw-heat-legend b")).toBeNull();
    expect(find(".nnw-heat-legend").textContent).not.toContain("two");
    expect(find(".nnw-heat-panel:nth-child(2) code").textContent).toBe("conv1");
  });

  test("opacity repaints and tells Python nothing", () => {
    const slider = find<HTMLInputElement>(".nnw-heat-opacity input");
    const sent = host.model.sent.length;
    const before = calls.length;
    slider.value = "20";
    slider.dispatchEvent(new Event("input"));
    frames.run();
    expect(calls.length).toBeGreaterThan(before);
    expect(host.model.sent.length).toBe(sent);
  });

  test("a panel that stays keeps its element, and one too many goes", () => {
    const [first, second] = host.all(".nnw-heat-panel");
    send({ changed: { panels: fields.panels.slice(0, 2) } });
    expect(host.all(".nnw-heat-panel")).toEqual([first, second]);
    send();
    expect(host.all(".nnw-heat-panel").slice(0, 2)).toEqual([first, second]);
    expect(host.all(".nnw-heat-panel").length).toBe(3);
  });

  test("moving the square paints nothing anew", () => {
    const before = calls.length;
    press("ArrowUp");
    frames.run();
    expect(calls.length).toBe(before);
  });

  test("an option that is named stands beside the table and nowhere else", () => {
    expect(host.el.querySelectorAll(".nnw-head select").length).toBe(1);
    const select = find<HTMLSelectElement>(".nnw-heat-own select");
    select.selectedIndex = 1;
    select.dispatchEvent(new Event("change"));
    expect(host.commands().at(-1)).toEqual(["option", { name: "map_layer", value: "conv2" }]);
  });
});

describe("a picture alone", () => {
  beforeEach(() => sendAlone());

  test("has no panels and no mark until it is pointed at, and tells the pixel's value", () => {
    expect(host.all(".nnw-heat-panel").length).toBe(0);
    expect(stage().classList).toContain("nnw-heat-unmarked");
    point("pointermove", "overlay", 55, 35);
    expect(stage().classList).not.toContain("nnw-heat-unmarked");
    expect(centre()).toEqual(["68.75%", "43.75%"]);
    expect(find(".nnw-tooltip").textContent).toBe("pixel row 3, col 5 · probability lost −0.50");
    point("pointermove", "overlay", 15, 5);
    expect(find(".nnw-tooltip").textContent).toBe("pixel row 0, col 1 · not finite");
    point("pointerleave", "overlay", 0, 0);
    expect(stage().classList).toContain("nnw-heat-unmarked");
  });

  test("is walked by keys from its strongest pixel, and said", () => {
    press("ArrowDown");
    expect(find(".nnw-heat-live").textContent).toBe("Pixel at row 4, col 5; probability lost 0.25");
    press("ArrowUp");
    expect(find(".nnw-heat-live").textContent).toBe("Pixel at row 3, col 5; probability lost −0.50");
  });

  test("tells a click only to a view that wants it", () => {
    const clicks = (): unknown[] => host.commands().filter(([name]) => name === "click").map(([, value]) => value);
    point("click", "overlay", 55, 35);
    expect(clicks()).toEqual([]);
    sendAlone({ clickable: true });
    point("click", "overlay", 55, 35);
    press("ArrowLeft");
    press("Enter");
    const at = (column: number): unknown => ({ block: "heat", where: ["pixel", 3, column] });
    expect(clicks()).toEqual([at(5), at(4)]);
  });
});

test("a square tells its position, and the keys its announcement", () => {
  send({ changed: { clickable: true } });
  point("click", "map", 10, 75);
  expect(host.commands().at(-1)).toEqual(["click", { block: "heat", where: ["position", 2, 0] }]);
  press("ArrowUp");
  expect(find(".nnw-heat-live").textContent).toBe(
    "Fixed at row 2, col 0; p(9) 0.90; Map 3 of `conv1` 5.00; Predicted class 9 (0.75)",
  );
});
