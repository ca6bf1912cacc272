import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Host as BlockHost } from "../src/blocks/block.ts";
import { make } from "../src/kernel/dom.ts";
import { type Frames, type ViewHost, bytes, fakeFrames, mountView, recordCanvases } from "./host.ts";

let frames: Frames;
let view: ViewHost;
let block: BlockHost;
const at = { x: 10, y: 10, width: 4, height: 4 };
const card = (): HTMLElement => view.one(".nnw-sample-card");
const asked = (): unknown[] => view.model.of("command").map(({ value }) => value);

async function answer(k: number, header: object, picture = false): Promise<void> {
  const arrays = picture ? [{ name: "picture", dtype: "uint8", shape: [1, 2] }] : [];
  const { request } = view.model.of("command")[k]!;
  view.model.receive({ kind: "reply", request, header, arrays }, picture ? [bytes([0, 255], "uint8")] : []);
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
  frames = fakeFrames();
  recordCanvases();
  const registry = {
    note: (host: BlockHost) => {
      block = host;
      return { element: make("p"), update: () => undefined, draw: () => undefined };
    },
  };
  view = mountView(registry, frames);
  view.show([{ kind: "note" }]);
});
afterEach(() => {
  view.unmount();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

test("the card says what is known at once, then what Python answers, as plain text", async () => {
  block.panel.card.show(7, at, [["label", "cat (of 10)"]]);
  expect([card().hidden, card().textContent]).toEqual([false, "Sample 7label cat (of 10)"]);
  expect(card().querySelector("b")?.textContent).toBe("cat");
  vi.advanceTimersByTime(100);
  expect(asked()).toEqual([{ index: 7 }]);
  await answer(0, { title: "<b>Sample</b> 7", lines: [["label", "dog"], "odd"], index: 7 }, true);
  expect(card().textContent).toBe("<b>Sample</b> 7label dog odd");
  expect(card().querySelector("canvas")?.width).toBe(2);
});

test("a pointer that passes over samples asks for none of them", () => {
  for (const index of [1, 2, 3]) block.panel.card.show(index, at);
  block.panel.card.hide();
  vi.advanceTimersByTime(1000);
  expect([asked(), card().hidden]).toEqual([[], true]);
});

test("answers are kept for the step they are of", async () => {
  block.panel.card.show(7, at);
  vi.advanceTimersByTime(100);
  await answer(0, { title: "first", lines: [] });
  block.panel.card.show(8, at);
  block.panel.card.show(7, at);
  vi.advanceTimersByTime(100);
  expect([card().textContent, asked()]).toEqual(["first", [{ index: 7 }]]);
  view.show([{ kind: "note" }]);
  vi.advanceTimersByTime(100);
  expect([card().textContent, asked()]).toEqual(["first", [{ index: 7 }, { index: 7 }]]);
  await answer(1, { title: "second", lines: [] });
  expect(card().textContent).toBe("second");
});

test("an answer to an earlier question does not take the place of the newest", async () => {
  block.panel.card.show(7, at);
  vi.advanceTimersByTime(100);
  block.panel.card.show(8, at);
  await answer(0, { title: "seven", lines: [] });
  expect(card().textContent).toBe("Sample 8");
});

test("what Python refuses is said in the card", async () => {
  block.panel.card.show(7, at);
  vi.advanceTimersByTime(100);
  view.model.receive({ kind: "reply", request: view.model.of("command")[0]!.request, error: "index: no such sample" });
  await vi.advanceTimersByTimeAsync(0);
  expect(card().querySelector(".nnw-sample-error")?.textContent).toBe("index: no such sample");
});

test("a block that goes takes its card with it", () => {
  block.panel.card.show(7, at);
  view.show([]);
  expect(card().hidden).toBe(true);
});
