/** A view of points on a fake host: five samples on a canvas of 444 × 444 px, looked at through pointer and keys. */

import { afterEach, beforeEach, vi } from "vitest";
import { makePoints } from "../src/blocks/points.ts";
import type { CommonHeader } from "../src/kernel/header.ts";
import { type Frames, type Sample, type ViewHost, fakeFrames, mountView, recordingContext } from "./host.ts";

export let host: ViewHost;
let frames: Frames;
let clock = 0;

/**
 * Rows at the corners and the middle of the map; the middle one is taken for another class.
 * The fit leaves 22 px on every side: the corners are at 22 and 422, the middle at 222.
 */
const POSITIONS = [-32000, -32000, 32000, -32000, -32000, 32000, 32000, 32000, 0, 0];
export const INDICES = [10, 11, 12, 13, 14];
const KEY = "embedding";

/** Fields of a block that a test wants otherwise; arrays are whole numbers. */
export interface Over {
  positions?: number[];
  selected?: number[];
  near?: number[];
  [field: string]: unknown;
}

const ints = (data: number[], shape = [data.length]): Sample => ({ dtype: "int32", shape, data });

/** What Python sends of a map, whole. */
export function picture(over: Over = {}, header: Partial<CommonHeader> = {}, arrays: Record<string, Sample> = {}): void {
  const { positions = POSITIONS, selected = [], near, ...fields } = over;
  const dims = positions.length / INDICES.length;
  const all: Record<string, Sample> = {
    positions: { dtype: "int16", shape: [5, dims], data: positions },
    samples: ints(INDICES),
    labels: { dtype: "int16", shape: [5], data: [0, 0, 1, 1, 1] },
    predicted: { dtype: "int16", shape: [5], data: [0, 0, 1, 1, 0] },
    loss: { dtype: "float32", shape: [5], data: [0.5, 0.25, 0, 1, 2] },
    selected: ints(selected),
    ...(near ? { near: ints(near) } : {}),
    ...arrays,
  };
  const own = { unit: 1, class_names: ["cat", "dog"], columns: [], color: "class", size: "equal", trails_unit: 1 };
  host.show(
    [{ kind: "points", key: KEY, fields: { title: "", note: "", ...own, ...fields } }],
    Object.fromEntries(Object.entries(all).map(([name, array]) => [`${KEY}/${name}`, array])),
    { title: "relu3", title_is_code: true, step: 5, ...header },
  );
  settle();
}

/** What Python sends when only some fields have changed. */
export function change(fields: Record<string, unknown>, arrays: Record<string, Sample> = {}): void {
  host.show(
    [{ kind: "points", key: KEY, whole: false, fields }],
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${KEY}/${name}`, array])),
    { title: "relu3", title_is_code: true, step: 5 },
  );
  settle();
}

/** Runs animation frames until every move is over. */
export function settle(): void {
  clock += 1000;
  for (let k = 0; k < 3; k++) frames.run();
}

export const canvas = (): HTMLCanvasElement => host.el.querySelector<HTMLCanvasElement>(".nnw-points-marks")!;
/** The first element in the view that fits. */
export const one = (selector: string): HTMLElement => host.el.querySelector<HTMLElement>(selector)!;
/** What was asked of Python by this name. */
export const commands = (name: string): unknown[] =>
  host
    .commands()
    .filter(([each]) => each === name)
    .map(([, value]) => value);
/** What Python was told of clicks. */
export const clicks = (): unknown[] => commands("click").map((value) => (value as { where: unknown }).where);

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
    host = mountView({ points: makePoints }, frames);
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
