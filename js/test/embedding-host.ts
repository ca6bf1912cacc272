/** An embedding view on a fake host: five samples on a canvas of 444 × 444 px, looked at through pointer and keys. */

import { afterEach, beforeEach, vi } from "vitest";
import define from "../src/views/embedding.ts";
import { type Frames, type Host, bytes, fakeFrames, mount, recordingContext } from "./host.ts";

export let host: Host;
let frames: Frames;
let clock = 0;

/**
 * Rows at the corners and the middle of the map; the middle one is wrong.
 * The fit leaves 22 px on every side: the corners are at 22 and 422, the middle at 222.
 */
const POSITIONS = [-32000, -32000, 32000, -32000, -32000, 32000, 32000, 32000, 0, 0];
export const INDICES = [10, 11, 12, 13, 14];

/** What Python sends of a map: the picture and, if `selected` or `strip` are said, what is selected of it. */
export function picture(
  { strip = [], selection = {}, ...over }: { strip?: unknown[]; selection?: object; [name: string]: unknown } = {},
  positions: number[] = POSITIONS): void {
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
    counts: { wrong: 1 },
    kept: null,
    selection: { sample: null, ...selection },
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
  const { selected = [] } = selection as { selected?: number[] };
  part("selection", { ...header, strip }, { selected: { dtype: "int32", shape: [selected.length], data: selected } });
  settle();
}

/** A frame of a channel of the view's own. */
export function part(
  channel: string,
  header: object,
  arrays: Record<string, { dtype: "float32" | "int32"; shape: number[]; data: number[] }>,
): void {
  const named = Object.entries(arrays);
  host.model.receive(
    { kind: "frame", seq: 2, channel, header, arrays: named.map(([name, { dtype, shape }]) => ({ name, dtype, shape })) },
    named.map(([, { dtype, data }]) => bytes(data, dtype)),
  );
  settle();
}

/** Runs animation frames until every move is over. */
export function settle(): void {
  clock += 1000;
  for (let k = 0; k < 3; k++) frames.run();
}

export const canvas = (): HTMLCanvasElement => host.el.querySelector<HTMLCanvasElement>(".nnw-cloud-marks")!;
/** The first element in the view that fits. */
export const one = (selector: string): HTMLElement => host.el.querySelector<HTMLElement>(selector)!;
/** What was asked of Python by this name. */
export const commands = (name: string): unknown[] =>
  host.model
    .of("command")
    .filter((each) => each.name === name)
    .map((each) => each.value);

export function pointer(type: string, x: number, y: number, keys: { shiftKey?: boolean; altKey?: boolean } = {}): void {
  const event = new MouseEvent(type, { clientX: x, clientY: y, button: 0, bubbles: true, ...keys });
  canvas().dispatchEvent(Object.assign(event, { pointerId: 1 }));
}

/** Presses at the first point, moves through the others and releases at the last. */
export function drag(points: [number, number][], keys = {}): void {
  pointer("pointerdown", ...points[0]!, keys);
  for (const point of points.slice(1)) pointer("pointermove", ...point, keys);
  pointer("pointerup", ...points.at(-1)!, keys);
  settle();
}

export function press(key: string, target: HTMLElement = canvas()): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  settle();
  return event;
}

/** Opens the view with one frame before each test of a file, and closes it after. */
export function openEachTime(): void {
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
}
