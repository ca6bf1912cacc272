/** One block on a page: sent as Python sends it, looked at and used as by a person. */

import { vi } from "vitest";
import type { BlockData, MakeBlock } from "../src/blocks/block.ts";
import type { CommonHeader } from "../src/kernel/header.ts";
import { type Call, type Sample, fakeFrames, mountView, recordCanvases } from "./host.ts";

export const WIDTH = 616;

export interface BlockHost {
  /** Sends the block's fields and arrays and draws it. */
  show(fields: object, arrays?: Record<string, Sample>, header?: Partial<CommonHeader>): void;
  state(header: Partial<CommonHeader>): void;
  /** What clicks have told Python. */
  clicks(): unknown[];
  commands(): [string | undefined, unknown][];
  /** Runs what waits for the next animation frame. */
  redraw(): void;
  one(selector: string): HTMLElement;
  all(selector: string): HTMLElement[];
  /** The text of every visible element that the selector finds. */
  texts(selector: string): string[];
  tooltip(): string;
  point(target: Element, x?: number, y?: number): void;
  click(target: Element, x?: number, y?: number): void;
  /** Presses keys on an element, one after the other. */
  press(target: Element, ...keys: string[]): void;
  calls: Call[];
}

/** A page that shows one block of a kind. */
export function mountBlock<B extends BlockData>(kind: B["kind"], make: MakeBlock<B>): BlockHost {
  vi.restoreAllMocks();
  document.body.replaceChildren();
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(WIDTH);
  const [calls, frames] = [recordCanvases(), fakeFrames()];
  const view = mountView({ [kind]: make as unknown as MakeBlock<never> }, frames);
  const mouse = (type: string, target: Element, x: number, y: number): void => {
    target.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX: x, clientY: y }));
    frames.run();
  };
  return {
    show(fields, arrays = {}, header = {}) {
      const named = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${kind}/${name}`, array]));
      view.show([{ kind, fields: { ...fields } }], named, header);
    },
    state: view.state,
    clicks: () => view.commands().flatMap(([name, value]) => (name === "click" ? [(value as { where: unknown }).where] : [])),
    commands: view.commands,
    redraw: () => frames.run(),
    one: (selector) => view.one(selector),
    all: (selector) => view.all(selector),
    texts: (selector) =>
      view
        .all(selector)
        .filter((element) => !element.closest("[hidden]"))
        .map((element) => element.textContent ?? ""),
    tooltip: () => (view.one(".nnw-tooltip").hidden ? "" : (view.one(".nnw-tooltip").textContent ?? "")),
    point: (target, x = 0, y = 0) => mouse("pointermove", target, x, y),
    click: (target, x = 0, y = 0) => mouse("click", target, x, y),
    press(target, ...keys) {
      for (const key of keys) target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      frames.run();
    },
    calls,
  };
}

export const floats = (shape: number[], data: number[]): Sample => ({ dtype: "float32", shape, data });
export const whole = (shape: number[], data: number[]): Sample => ({ dtype: "int32", shape, data });

/** Words that were written on canvases, in order. */
export const written = (calls: readonly Call[]): string[] =>
  calls.filter(([name]) => name === "fillText").map(([, text]) => String(text));
