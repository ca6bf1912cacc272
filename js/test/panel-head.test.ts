import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CommonHeader } from "../src/kernel/header.ts";
import { definePanel } from "../src/kernel/panel.ts";
import { type Frames, fakeFrames, mount } from "./host.ts";

let frames: Frames;

const define = definePanel(() => ({ draw: () => undefined }));

const picture = (seq: number, header: Partial<CommonHeader> = {}, channel = "picture"): unknown => ({
  kind: "frame",
  seq,
  channel,
  header: { title: "conv1", step: seq, ...header },
  arrays: [],
});

const option = {
  name: "scale",
  label: "Scale",
  kind: "toggle" as const,
  value: "map",
  choices: [
    ["layer", "layer"],
    ["map", "map"],
  ] as [string, string][],
};

beforeEach(() => {
  vi.useFakeTimers();
  frames = fakeFrames();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

describe("the head", () => {
  it("shows words as words, never as markup", () => {
    const host = mount(define);
    const evil = '<img src=x onerror="alert(1)">';
    const state = { kind: "failed" as const, text: evil, detail: evil, error: evil, actions: ["copy", "retry"] };
    host.model.receive(picture(1, { title: evil, subtitle: evil, caption: [[evil, 1]], state, options: [{ ...option, label: evil }] }));
    frames.run();
    expect(host.el.querySelector("img")).toBeNull();
    expect(host.el.querySelector(".nnw-title")?.textContent).toBe(evil);
  });

  it("marks the odd parts of the caption", () => {
    const host = mount(define);
    host.model.receive(picture(1, { caption: [["32 maps", 0], ["2 dead †", 1], ["step 1", 0]] }));
    frames.run();
    const caption = host.el.querySelector(".nnw-caption");
    expect(caption?.textContent).toBe("32 maps · 2 dead † · step 1");
    expect([...(caption?.querySelectorAll("strong") ?? [])].map((part) => part.textContent)).toEqual(["2 dead †"]);
  });

  describe("of a view that follows the sample", () => {
    const samples = { index: 5, count: 1397, labelled: true };
    const open = (): ReturnType<typeof mount> => {
      const host = mount(define);
      host.model.receive(picture(1, { samples }));
      frames.run();
      return host;
    };
    const box = (el: HTMLElement): HTMLInputElement => el.querySelector(".nnw-sample-index")!;
    const type = (el: HTMLElement, text: string, key = ""): void => {
      box(el).value = text;
      box(el).dispatchEvent(new Event("input"));
      box(el).dispatchEvent(key ? new KeyboardEvent("keydown", { key, bubbles: true }) : new Event("blur"));
    };
    const commands = (host: ReturnType<typeof mount>): unknown[] =>
      host.model.of("command").map(({ name, value }) => [name, value]);

    it("offers the samples beside it and the next wrong one", () => {
      const host = open();
      expect(host.el.querySelector(".nnw-samples")?.textContent).toBe("‹›of 1\u202f397Next wrong");
      for (const button of host.el.querySelectorAll<HTMLElement>(".nnw-samples button")) button.click();
      expect(commands(host)).toEqual([
        ["step_sample", { by: -1 }],
        ["step_sample", { by: 1 }],
        ["next_wrong", undefined],
      ]);
    });

    it("selects the index typed at Enter and when the box is left, and at Escape none", () => {
      const host = open();
      type(host.el, "12", "Enter");
      type(host.el, "x7");
      type(host.el, "99", "Escape");
      expect(box(host.el).value).toBe("5");
      type(host.el, "5", "Enter");
      type(host.el, " ");
      expect(commands(host)).toEqual([
        ["select", { sample: 12 }],
        ["select", { sample: "x7" }],
      ]);
    });

    it("keeps what is being typed, and takes it back when Python refuses", () => {
      const host = open();
      box(host.el).value = "9999";
      box(host.el).dispatchEvent(new Event("input"));
      host.model.receive(picture(2, { samples: { ...samples, index: 6 } }));
      frames.run();
      expect(box(host.el).value).toBe("9999");
      box(host.el).dispatchEvent(new Event("blur"));
      host.model.receive({ kind: "reply", request: host.model.of("command")[0]?.request, error: "sample: 0 to 1396" });
      frames.run();
      expect([box(host.el).value, host.el.querySelector(".nnw-error")?.textContent]).toEqual(["6", "sample: 0 to 1396"]);
    });

    it("offers no wrong ones without labels, and nothing in a view of no sample", () => {
      const host = open();
      const shown = (): boolean[] =>
        [".nnw-samples", ".nnw-samples .nnw-button"].map((part) => !host.el.querySelector<HTMLElement>(part)!.hidden);
      host.model.receive(picture(2, { samples: { ...samples, labelled: false } }));
      frames.run();
      expect(shown()).toEqual([true, false]);
      host.model.receive(picture(3, { samples: null }));
      frames.run();
      expect(shown()[0]).toBe(false);
    });
  });

  it("ages by the second, and says by itself when steps stopped coming", () => {
    const host = mount(define);
    host.model.receive(picture(1240, { standalone: true, age_s: 0.4, stale_after_s: 5, training: true }));
    frames.run();
    const pill = (): string | null | undefined => host.el.querySelector(".nnw-pill")?.textContent;
    expect(pill()).toBe("step 1\u202f240 · 0.4\u202fs ago");
    vi.advanceTimersByTime(3000);
    expect(pill()).toBe("step 1\u202f240 · 3.4\u202fs ago");
    const state = host.el.querySelector<HTMLElement>(".nnw-state");
    expect(state?.hidden).toBe(true);
    vi.advanceTimersByTime(3000);
    expect(state?.hidden).toBe(false);
    expect(state?.textContent).toContain("No step for 6.4\u202fs · picture of step 1\u202f240");
  });

  it("does not call a model stale that was never trained", () => {
    const host = mount(define);
    host.model.receive(picture(1, { step: null, stale_after_s: 5 }));
    frames.run();
    vi.advanceTimersByTime(60_000);
    expect(host.el.querySelector<HTMLElement>(".nnw-state")?.hidden).toBe(true);
  });

  it("shows progress only after 300 ms", () => {
    const host = mount(define);
    const state = { kind: "computing" as const, text: "Covering 3 of 9", progress: 0.3, actions: ["cancel"] };
    host.model.receive(picture(1, { state }, "state"));
    frames.run();
    const line = host.el.querySelector<HTMLElement>(".nnw-state");
    expect(line?.hidden).toBe(true);
    vi.advanceTimersByTime(350);
    host.model.receive(picture(2, { state }, "state"));
    frames.run();
    expect(line?.hidden).toBe(false);
    line?.querySelector("button")?.click();
    expect(host.model.of("command").at(-1)).toMatchObject({ name: "cancel" });
  });
});

it("taking a view down removes every listener, timer and observer it made", () => {
  const added: unknown[] = [];
  const removed: unknown[] = [];
  const targets = [EventTarget.prototype];
  for (const target of targets) {
    vi.spyOn(target, "addEventListener").mockImplementation(function (this: unknown, type, handler) {
      // Listeners on the view's own elements go with the elements.
      if (!(this instanceof Element)) added.push([this, type, handler]);
    });
    vi.spyOn(target, "removeEventListener").mockImplementation(function (this: unknown, type, handler) {
      if (!(this instanceof Element)) removed.push([this, type, handler]);
    });
  }
  const disconnected = vi.spyOn(MutationObserver.prototype, "disconnect");
  const before = vi.getTimerCount();
  const host = mount(define);
  host.unmount();
  expect(added.length).toBeGreaterThan(1);
  expect(removed).toHaveLength(added.length);
  for (const each of added) expect(removed).toContainEqual(each);
  expect(disconnected).toHaveBeenCalledTimes(1);
  expect(host.el.childElementCount).toBe(0);
  host.close();
  expect(vi.getTimerCount()).toBe(before);
  expect(host.model.handlers.get("msg:custom")?.size).toBe(0);
});
