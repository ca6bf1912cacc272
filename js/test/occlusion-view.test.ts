import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import occlusion from "../src/views/occlusion.ts";
import { type Call, type Frames, type Host, bytes, fakeFrames, mount, recordCanvases } from "./host.ts";

const SIZE = 8;
const PLACES = [0, 2, 4];

let frames: Frames;
let host: Host;
let calls: Call[];

/** A picture of 8 × 8 under a square of 4 × 4 at 3 × 3 places; p falls most at row 2, col 4. */
function send(seq = 1, p = [0.9, 0.8, 0.7, 0.9, 0.6, 0.1, 0.9, 0.9, 0.9]): void {
  const image = (value: number): number[] => new Array<number>(SIZE * SIZE).fill(value);
  const arrays = [
    { name: "picture", dtype: "uint8", shape: [SIZE, SIZE], data: bytes(image(128), "uint8") },
    { name: "importance", dtype: "float32", shape: [SIZE, SIZE], data: bytes(image(0.25), "float32") },
    { name: "rows", dtype: "int32", shape: [3], data: bytes(PLACES, "int32") },
    { name: "cols", dtype: "int32", shape: [3], data: bytes(PLACES, "int32") },
    { name: "p", dtype: "float32", shape: [3, 3], data: bytes(p, "float32") },
    { name: "map_sum", dtype: "float32", shape: [3, 3], data: bytes([5, 5, 5, 5, 5, 4, 5, 5, 5], "float32") },
    { name: "predicted", dtype: "uint16", shape: [3, 3], data: bytes([9, 9, 9, 9, 9, 4, 9, 9, 9], "uint16") },
    { name: "predicted_p", dtype: "float32", shape: [3, 3], data: bytes(new Array<number>(9).fill(0.75), "float32") },
  ];
  const header = {
    title: "Sample 73",
    step: 10,
    options: [
      { name: "target", label: "Target", kind: "dropdown", value: 9, choices: [[9, "9"]] },
      { name: "layer", label: "Map of", kind: "dropdown", value: "conv1", choices: [["conv1", "a"], ["conv2", "b"]] },
    ],
    overlay_title: "Probability of 9 lost",
    overlay_sub: "mean",
    panels: ["p(9)", "Map 3 of `conv1`", "Predicted class"].map((title) => ({ title, sub: "" })),
    patch: [4, 4],
    image_size: [SIZE, SIZE],
    clean: { p: 0.9, map_sum: 5, predicted: 9, predicted_p: 0.9 },
    class_names: Array.from("0123456789"),
    legend: [[9, "9", 8 / 9], [4, "<b>four</b>", 1 / 9]],
    scales: {
      importance: { lo: 0, hi: 0.5, unit: "probability lost" },
      p: { lo: 0, hi: 1, unit: "probability" },
      map_sum: { lo: 0, hi: 5, unit: "summed activity" },
    },
    target: 9,
    kind: "probability",
    table_labels: ["p(9)", "map 3", "class"],
  };
  const specs = arrays.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  host.model.receive({ kind: "frame", seq, channel: "picture", header, arrays: specs }, arrays.map(({ data }) => data));
  frames.run();
}

const find = <E extends Element = HTMLElement>(selector: string): E => host.el.querySelector<E>(selector)!;
const place = (): string => find(".nnw-occ-table th").textContent ?? "";
const covered = (): string => find(".nnw-occ-table tbody td:nth-child(3)").textContent ?? "";
const centre = (): string[] => ["x", "y"].map((axis) => find(".nnw-occ").style.getPropertyValue(`--nnw-centre-${axis}`));

function point(type: string, figure: string, x: number, y: number): void {
  const frame = find(`.nnw-occ-${figure} .nnw-occ-frame`);
  frame.getBoundingClientRect = () => ({ x: 0, y: 0, left: 0, top: 0, width: 80, height: 80 }) as DOMRect;
  frame.dispatchEvent(new MouseEvent(type, { clientX: x, clientY: y, bubbles: true }));
}

function press(key: string): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  find(".nnw-occ").dispatchEvent(event);
  return event;
}

beforeEach(() => {
  vi.useFakeTimers();
  frames = fakeFrames();
  calls = recordCanvases();
  host = mount(occlusion);
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
    send(2);
    expect(place()).toBe("Square at row 0, col 4");
  });

  test("says when its place is not computed yet", () => {
    press("ArrowDown");
    send(2, [0.9, 0.8, 0.7, 0.9, 0.6, 0.1, 0.9, 0.9, Number.NaN]);
    expect(covered()).toBe("…");
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

  test("positions that are not computed are hatched, computed ones are not", () => {
    const strokes = (): number => calls.filter(([name]) => name === "clip").length;
    const before = strokes();
    send(2);
    expect(strokes()).toBe(before);
    send(3, [0.9, 0.8, 0.7, 0.9, 0.6, 0.1, 0.9, 0.9, Number.NaN]);
    expect(strokes()).toBe(before + 3);
  });

  test("names are text, never markup; a layer's name is set as code", () => {
    expect(find(".nnw-occ-legend").textContent).toContain("<b>four</b>");
    expect(find(".nnw-occ-legend b")).toBeNull();
    expect(find(".nnw-occ-map code").textContent).toBe("conv1");
  });

  test("opacity repaints and tells Python nothing", () => {
    const slider = find<HTMLInputElement>(".nnw-occ-opacity input");
    const sent = host.model.sent.length;
    const before = calls.length;
    slider.value = "20";
    slider.dispatchEvent(new Event("input"));
    frames.run();
    expect(calls.length).toBeGreaterThan(before);
    expect(host.model.sent.length).toBe(sent);
  });

  test("moving the square paints nothing anew", () => {
    const before = calls.length;
    press("ArrowUp");
    frames.run();
    expect(calls.length).toBe(before);
  });

  test("the map's layer is chosen below the panels and nowhere else", () => {
    expect(host.el.querySelectorAll(".nnw-head select").length).toBe(1);
    const select = find<HTMLSelectElement>(".nnw-occ-own select");
    select.selectedIndex = 1;
    select.dispatchEvent(new Event("change"));
    expect(host.model.of("command").at(-1)).toMatchObject({ name: "option", value: { name: "layer", value: "conv2" } });
  });
});

test("without a result the frames stand empty and the keys do no harm", () => {
  host = mount(occlusion);
  frames.run();
  press("ArrowUp");
  point("pointermove", "p", 10, 10);
  expect(find(".nnw-occ").classList).toContain("nnw-empty");
});
