import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { KeptHeader } from "../src/kernel/header.ts";
import { type Frames, type ViewHost, fakeFrames, mountView } from "./host.ts";

let frames: Frames;
let view: ViewHost;
const show = (index: number, positions = [3, 8, 9]): void =>
  view.show([], {}, { kept: { index, positions, text: `step ${positions[index]}` } satisfies KeptHeader });
const slider = (): HTMLInputElement => view.one<HTMLInputElement>(".nnw-kept input");
const button = (): HTMLButtonElement => view.one<HTMLButtonElement>(".nnw-kept button");
const asked = (): unknown[] => view.model.of("command").map(({ name, value }) => [name, (value as { position: unknown }).position]);

beforeEach(() => {
  vi.useFakeTimers();
  frames = fakeFrames();
  view = mountView({}, frames);
});
afterEach(() => {
  view.unmount();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

test("there is none before Python keeps results, and it goes when they do", () => {
  view.show([]);
  expect(view.one(".nnw-kept").hidden).toBe(true);
  show(2);
  expect(view.one(".nnw-kept").hidden).toBe(false);
  view.state({ kept: null });
  expect(view.one(".nnw-kept").hidden).toBe(true);
});

test("the slider says where it stands, and asks for a position; the last follows the training", () => {
  show(2);
  expect([slider().value, slider().max, slider().ariaValueText, view.one(".nnw-kept-text").textContent]).toEqual([
    "2",
    "2",
    "step 9",
    "step 9",
  ]);
  for (const place of ["0", "2"]) {
    slider().value = place;
    slider().dispatchEvent(new Event("input"));
  }
  expect(asked()).toEqual([
    ["kept", 3],
    ["kept", null],
  ]);
});

test("▶ begins at the start, goes on as fast as results come, and stops at the newest", () => {
  show(2);
  expect(button().ariaLabel).toBe("Play the earlier results");
  button().click();
  expect(button().ariaLabel).toBe("Stop");
  show(0);
  vi.advanceTimersByTime(500);
  vi.advanceTimersByTime(5000);
  show(1);
  vi.advanceTimersByTime(500);
  show(2);
  expect(asked()).toEqual([
    ["kept", 3],
    ["kept", 8],
    ["kept", null],
  ]);
  expect(button().ariaLabel).toBe("Play the earlier results");
});

test("a hand on the slider stops ▶", () => {
  show(2);
  button().click();
  slider().dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
  show(0);
  vi.advanceTimersByTime(5000);
  expect(asked()).toEqual([["kept", 3]]);
});

test("where the user went, the slider stays while older pictures come", () => {
  show(2);
  slider().value = "0";
  slider().dispatchEvent(new Event("input"));
  show(2);
  expect(slider().value).toBe("0");
  show(0);
  show(1);
  expect(slider().value).toBe("1");
  slider().value = "2"; // the newest, which is another one meanwhile
  slider().dispatchEvent(new Event("input"));
  show(1, [3, 8, 9, 10]);
  expect(slider().value).toBe("3");
  slider().value = "0";
  slider().dispatchEvent(new Event("input"));
  vi.advanceTimersByTime(5000);
  show(3, [3, 8, 9, 10]);
  expect(slider().value).toBe("3");
});
