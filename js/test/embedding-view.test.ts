import { afterEach, beforeEach, expect, test, vi } from "vitest";
import define from "../src/views/embedding.ts";
import { type Frames, type Host, bytes, fakeFrames, mount, recordingContext } from "./host.ts";

let host: Host;
let frames: Frames;
let clock = 0;

/** Rows at the corners and the middle of the map; the middle one is wrong. */
const POSITIONS = [-32000, -32000, 32000, -32000, -32000, 32000, 32000, 32000, 0, 0];
const INDICES = [10, 11, 12, 13, 14];

function picture(over: Record<string, unknown> = {}, positions: number[] = POSITIONS): void {
  const dims = positions.length / INDICES.length;
  const header = {
    title: "relu3",
    step: 5,
    classes: [
      { name: "cat", n: 2, wrong: 0 },
      { name: "dog", n: 3, wrong: 1 },
    ],
    n: 5,
    dims,
    method: "pca",
    counts: { wrong: 1, selected: 0 },
    kept: null,
    strip: [],
    selection: { sample: null, selected: [] },
    ...over,
  };
  const arrays = [
    { name: "positions", dtype: "int16", shape: [5, dims] },
    { name: "labels", dtype: "uint16", shape: [5] },
    { name: "wrong", dtype: "uint8", shape: [5] },
    { name: "indices", dtype: "int32", shape: [5] },
    { name: "loss", dtype: "float32", shape: [5] },
  ];
  const buffers = [
    bytes(positions, "int16"),
    bytes([0, 0, 1, 1, 1], "uint16"),
    bytes([0, 0, 0, 0, 1], "uint8"),
    bytes(INDICES, "int32"),
    bytes([0.5, 0.25, 0, 1, 2], "float32"),
  ];
  host.model.receive({ kind: "frame", seq: 1, channel: "picture", header, arrays }, buffers);
  settle();
}

/** Runs animation frames until every move is over. */
function settle(): void {
  clock += 1000;
  for (let k = 0; k < 3; k++) frames.run();
}

const canvas = (): HTMLCanvasElement => host.el.querySelector<HTMLCanvasElement>(".nnw-cloud-marks")!;
const one = (selector: string): HTMLElement => host.el.querySelector<HTMLElement>(selector)!;
const commands = (name: string): unknown[] =>
  host.model
    .of("command")
    .filter((each) => each.name === name)
    .map((each) => each.value);

function pointer(type: string, x: number, y: number, keys: { shiftKey?: boolean; altKey?: boolean } = {}): void {
  canvas().dispatchEvent(
    Object.assign(new MouseEvent(type, { clientX: x, clientY: y, button: 0, bubbles: true, ...keys }), {
      pointerId: 1,
    }),
  );
}

function drag(points: [number, number][], keys = {}): void {
  pointer("pointerdown", ...points[0]!, keys);
  for (const point of points.slice(1)) pointer("pointermove", ...point, keys);
  pointer("pointerup", ...points.at(-1)!, keys);
  settle();
}

function press(key: string, target: HTMLElement = canvas()): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  settle();
  return event;
}

beforeEach(() => {
  frames = fakeFrames();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  vi.spyOn(performance, "now").mockImplementation(() => clock);
  const context = new Proxy(recordingContext(), {
    get: (target, name) => (name === "getImageData" ? () => ({ data: [0, 0, 0, 255] }) : Reflect.get(target, name)),
    set: () => true,
  });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(((kind: string) =>
    kind === "2d" ? context : null) as never);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(444);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(444);
  HTMLElement.prototype.setPointerCapture = () => undefined;
  host = mount(define);
  picture();
});

afterEach(() => {
  host.unmount();
  host.close();
  host.el.remove();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

// The fit leaves 22 px on every side of 444: the corners are at 22 and 422, the middle at 222.

test("a frame is drawn on a 2-D canvas where there is no WebGL, and says what it holds", () => {
  expect(canvas().dataset).toMatchObject({ count: "5", step: "5", renderer: "2d", moving: "false" });
  expect(canvas().getAttribute("aria-label")).toContain("Map of 5 samples of relu3, 2 classes, 1 wrong, 0 selected");
});

test("a click looks at the sample under it, by its index in the dataset", () => {
  drag([[222, 222]]);
  expect(commands("select")).toEqual([{ sample: 14 }]);
});

test("a click beside all points asks for nothing", () => {
  drag([[120, 222]]);
  expect(commands("select")).toEqual([]);
});

test("a lasso selects what it goes round, Shift adds, Alt removes, Escape clears", () => {
  drag([
    [0, 0],
    [444, 0],
    [444, 100],
    [0, 100],
  ]);
  drag(
    [
      [200, 200],
      [250, 200],
      [250, 250],
      [200, 250],
    ],
    { shiftKey: true },
  );
  drag(
    [
      [0, 0],
      [100, 0],
      [100, 100],
      [0, 100],
    ],
    { altKey: true },
  );
  press("Escape");
  expect(commands("select")).toEqual([
    { selected: [12, 13] },
    { selected: [12, 13, 14] },
    { selected: [13, 14] },
    { selected: [] },
  ]);
});

test("the box tool selects between two corners", () => {
  press("b");
  drag([
    [0, 444],
    [240, 200],
  ]);
  expect(commands("select")).toEqual([{ selected: [10, 14] }]);
});

test("Escape gives up a lasso under way", () => {
  pointer("pointerdown", 0, 0);
  pointer("pointermove", 444, 0);
  pointer("pointermove", 444, 444);
  press("Escape");
  pointer("pointerup", 0, 444);
  expect(commands("select")).toEqual([]);
});

test("a frame made before the lasso does not undo it, and Python's news does", () => {
  drag([
    [0, 0],
    [444, 0],
    [444, 100],
    [0, 100],
  ]);
  picture({ step: 6 });
  expect(canvas().dataset["selected"]).toBe("2");
  picture({ step: 7, selection: { sample: null, selected: [14] } });
  expect(canvas().dataset["selected"]).toBe("1");
});

test("points of a class switched off cannot be hit, and a double click shows one class alone", () => {
  const rows = host.el.querySelectorAll<HTMLElement>(".nnw-legend-row");
  rows[1]!.click();
  settle();
  expect(rows[1]!.getAttribute("aria-checked")).toBe("false");
  drag([[222, 222]]);
  expect(commands("select")).toEqual([]);
  rows[1]!.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
  settle();
  expect([...rows].map((row) => row.getAttribute("aria-checked"))).toEqual(["false", "true"]);
  drag([[222, 222]]);
  expect(commands("select")).toEqual([{ sample: 14 }]);
});

test("only wrong leaves the right ones out of a lasso", () => {
  [...host.el.querySelectorAll<HTMLElement>(".nnw-link")].find((each) => each.textContent === "Only wrong")!.click();
  settle();
  drag([
    [0, 0],
    [444, 0],
    [444, 444],
    [0, 444],
  ]);
  expect(commands("select")).toEqual([{ selected: [14] }]);
});

test("the card shows what is known at once and Python's answer once, and keeps it", async () => {
  pointer("pointermove", 222, 222);
  expect(one(".nnw-point-card").textContent).toBe("Sample 14label dogloss 2.00");
  expect(commands("card")).toEqual([]);
  vi.advanceTimersByTime(100);
  expect(commands("card")).toEqual([{ index: 14 }]);
  const request = host.model.of("command").at(-1)!.request;
  const header = {
    title: "Sample 14",
    lines: [
      ["label", "dog"],
      ["predicted", "<b>cat</b> (0.45)"],
    ],
  };
  host.model.receive({ kind: "reply", request, header, arrays: [] });
  await vi.waitFor(() => expect(one(".nnw-point-card").textContent).toContain("predicted <b>cat</b> (0.45)"));
  pointer("pointermove", 120, 222);
  expect(one(".nnw-point-card").hidden).toBe(true);
  pointer("pointermove", 222, 222);
  vi.advanceTimersByTime(100);
  expect(commands("card")).toHaveLength(1);
});

test("a card that Python cannot answer says why", async () => {
  pointer("pointermove", 222, 222);
  vi.advanceTimersByTime(100);
  host.model.receive({
    kind: "reply",
    request: host.model.of("command").at(-1)!.request,
    error: "index: not read yet",
  });
  await vi.waitFor(() => expect(one(".nnw-point-card").textContent).toContain("index: not read yet"));
});

test("the wheel scrolls the notebook until a click into the canvas, and again after the focus has left", () => {
  const wheel = (): boolean => !canvas().dispatchEvent(new WheelEvent("wheel", { deltaY: -50, cancelable: true }));
  expect(wheel()).toBe(false);
  drag([[120, 222]]);
  expect(wheel()).toBe(true);
  canvas().blur();
  expect(wheel()).toBe(false);
});

test("a pan moves points with the pointer, F brings them back", () => {
  press("p");
  drag([
    [222, 222],
    [262, 232],
  ]);
  drag([[262, 232]]);
  press("f");
  drag([[222, 222]]);
  expect(commands("select")).toEqual([{ sample: 14 }, { sample: 14 }]);
});

test("dragging with Space pans whatever the tool", () => {
  press(" ");
  drag([
    [222, 222],
    [262, 232],
  ]);
  expect(commands("select")).toEqual([]);
  canvas().dispatchEvent(new KeyboardEvent("keyup", { key: " " }));
  drag([[262, 232]]);
  expect(commands("select")).toEqual([{ sample: 14 }]);
});

test("arrow keys walk the points and Enter looks at one, all without a pointer", () => {
  press("ArrowRight");
  press("ArrowRight");
  press("Enter");
  expect(commands("select")).toHaveLength(1);
  expect(one(".nnw-point-card").hidden).toBe(false);
});

test("plain keys stay in the view, and those with Ctrl go on to the notebook", () => {
  const heard: string[] = [];
  const hear = (event: Event): void => void heard.push((event as KeyboardEvent).key);
  document.addEventListener("keydown", hear);
  press("d");
  canvas().dispatchEvent(new KeyboardEvent("keydown", { key: "s", ctrlKey: true, bubbles: true }));
  document.removeEventListener("keydown", hear);
  expect(heard).toEqual(["s"]);
});

test("dragging in the pan tool turns a 3-D cloud", () => {
  picture(
    { step: 6 },
    INDICES.flatMap((_, k) => [k * 8000 - 16000, (k % 2) * 20000, (k % 3) * 10000]),
  );
  press("p");
  press("ArrowRight");
  const before = one(".nnw-point-card").style.transform;
  drag([
    [200, 200],
    [300, 200],
  ]);
  press("ArrowRight");
  expect(one(".nnw-point-card").style.transform).not.toBe(before);
});

test("the strip shows the selected samples, marks the wrong ones, and a click looks at one", () => {
  const strip = [
    { index: 14, label: "dog", predicted: "cat", loss: 2 },
    { index: 13, label: "dog", predicted: "dog", loss: 1 },
  ];
  picture({ step: 6, selection: { sample: null, selected: [13, 14] }, strip });
  const cells = [...host.el.querySelectorAll<HTMLElement>(".nnw-strip-cell")];
  expect(cells.map((cell) => cell.textContent)).toEqual(["dog → cat14", "dog → dog13"]);
  expect(cells.map((cell) => cell.querySelector(".nnw-wrong") !== null)).toEqual([true, false]);
  cells[1]!.click();
  expect(commands("select")).toEqual([{ sample: 13 }]);
});

test("a strip of an earlier selection is not shown for a new one", () => {
  picture({ step: 6, selection: { selected: [14] }, strip: [{ index: 14, label: "dog", predicted: "cat", loss: 2 }] });
  drag([
    [0, 344],
    [100, 344],
    [100, 444],
    [0, 444],
  ]);
  expect(host.el.querySelectorAll(".nnw-strip-cell")).toHaveLength(0);
});

test("with nothing selected a line says how to select", () => {
  expect(one(".nnw-strip-empty").hidden).toBe(false);
  expect(one(".nnw-strip-empty").textContent).toContain("Nothing selected");
});

test("the slider asks for a kept map, and play goes on only when the map has come", () => {
  picture({ kept: { index: 0, count: 3, text: "step 1 · map 1 of 3 kept" } });
  one(".nnw-play").click();
  expect(commands("page")).toEqual([{ page: 1 }]);
  vi.advanceTimersByTime(5000);
  expect(commands("page")).toHaveLength(1);
  picture({ kept: { index: 1, count: 3, text: "step 2 · map 2 of 3 kept" } });
  vi.advanceTimersByTime(1000);
  expect(commands("page")).toEqual([{ page: 1 }, { page: 2 }]);
});

test("names from the data are text, never markup", () => {
  picture({
    step: 6,
    classes: [
      { name: "<img src=x>", n: 2, wrong: 0 },
      { name: "dog", n: 3, wrong: 1 },
    ],
  });
  expect(host.el.querySelector("img")).toBeNull();
  expect(one(".nnw-legend-name").textContent).toBe("<img src=x>");
});
