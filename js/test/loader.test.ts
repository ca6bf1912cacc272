import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import define from "../src/loader.ts";
import { makePage } from "../src/page.ts";
import { FakeModel, fakeFrames } from "./host.ts";

type Start = { start(css: string, version: string): ReturnType<typeof makePage> };

/** What the kernel holds: the widgets with code, by id. */
let holders: Map<string, FakeModel>;
let imported: string[];
let asked: number;

const holder = (version: string): FakeModel =>
  new FakeModel({ version, code: `code of ${version}`, css: `.nnw-panel { order: ${version}; }` });

class PanelModel extends FakeModel {
  readonly widget_manager = {
    get_model: (id: string): Promise<FakeModel> => {
      asked += 1;
      const found = holders.get(id);
      return found ? Promise.resolve(found) : Promise.reject(new Error("widget model not found"));
    },
  };
  constructor(code = "a", part = "view") {
    super({ code, part });
  }
}

const load = (text: string): Promise<Start> => {
  imported.push(text);
  if (text.includes("broken")) return Promise.reject(new Error("not JavaScript"));
  return Promise.resolve({ start: (css, version) => makePage({}, css, version) });
};

function open(model: PanelModel): { el: HTMLElement; mounted: Promise<() => void>; close: () => void } {
  const widget = define(load);
  const close = widget.initialize({ model });
  const el = document.createElement("div");
  document.body.append(el);
  return { el, close, mounted: widget.render({ model, el }) };
}
const styles = (root: ParentNode = document): HTMLStyleElement[] => [...root.querySelectorAll<HTMLStyleElement>("style[data-nnw-style]")];

beforeEach(() => {
  vi.useFakeTimers();
  fakeFrames();
  [holders, imported, asked] = [new Map([["a", holder("1")]]), [], 0];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
  document.head.replaceChildren();
  delete (globalThis as { nnwidgetsPages?: unknown }).nnwidgetsPages;
});

describe("the code of the page", () => {
  test("is imported once for all panels, and its style stands there once", async () => {
    const panels = [open(new PanelModel()), open(new PanelModel()), open(new PanelModel())];
    await Promise.all(panels.map(({ mounted }) => mounted));
    expect(imported).toEqual(["code of 1"]);
    expect(panels.map(({ el }) => el.querySelectorAll(".nnw-panel").length)).toEqual([1, 1, 1]);
    expect(styles().map(({ textContent }) => textContent)).toEqual([".nnw-panel { order: 1; }"]);
  });

  test("of another version is imported beside it; the later style takes the place of the earlier", async () => {
    await open(new PanelModel()).mounted;
    vi.advanceTimersByTime(1000);
    holders.set("b", holder("2"));
    await open(new PanelModel("b")).mounted;
    await open(new PanelModel()).mounted;
    expect(imported).toEqual(["code of 1", "code of 2"]);
    expect(styles().map(({ textContent }) => textContent)).toEqual([".nnw-panel { order: 2; }"]);
  });

  test("is waited for without a word, also when its widget comes after the panel", async () => {
    holders.clear();
    const model = new PanelModel();
    const panel = open(model);
    await vi.advanceTimersByTimeAsync(500);
    expect([panel.el.childElementCount, panel.el.textContent]).toEqual([0, ""]);
    holders.set("a", holder("1"));
    await vi.advanceTimersByTimeAsync(200);
    await panel.mounted;
    expect(panel.el.querySelectorAll(".nnw-panel")).toHaveLength(1);
  });

  test("that can't be had is said in words in the panel, and asked for anew by the next", async () => {
    holders.set("a", new FakeModel({ version: "1", code: "broken", css: "" }));
    const panel = open(new PanelModel());
    await panel.mounted;
    expect(panel.el.textContent).toContain("could not load the code of its views; reload the page. (Error: not JavaScript)");
    holders.set("a", holder("1"));
    const next = open(new PanelModel());
    await next.mounted;
    expect(next.el.querySelector(".nnw-panel")).not.toBeNull();
  });

  test("whose widget is gone is given up after a while", async () => {
    holders.clear();
    const panel = open(new PanelModel());
    await vi.advanceTimersByTimeAsync(11_000);
    await panel.mounted;
    expect(panel.el.textContent).toContain("widget model not found");
    expect(asked).toBeGreaterThan(10);
  });

  test("does not know a part of a later version, and says so", async () => {
    const panel = open(new PanelModel("a", "clock"));
    await panel.mounted;
    expect(panel.el.textContent).toContain("part: expected view, dashboard, got clock");
  });
});

describe("a panel", () => {
  test("loses nothing of what Python sends while the code is on its way", async () => {
    const model = new PanelModel();
    const panel = open(model);
    model.receive({ kind: "frame", seq: 1, channel: "picture", header: { title: "conv1", step: 1, blocks: [] }, arrays: [] });
    await panel.mounted;
    model.receive({ kind: "frame", seq: 2, channel: "state", header: { title: "conv1", step: 2 }, arrays: [] });
    panel.el.remove();
    (await panel.mounted)();
    expect(model.of("ack").map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test("listens to its model once, and to nothing after it was closed", async () => {
    const model = new PanelModel();
    const panel = open(model);
    (await panel.mounted)();
    expect(model.handlers.get("msg:custom")?.size).toBe(1);
    panel.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(model.handlers.get("msg:custom")?.size).toBe(0);
  });

  test("in a shadow root has the style there too", async () => {
    const outside = document.createElement("div");
    document.body.append(outside);
    const root = outside.attachShadow({ mode: "open" });
    const widget = define(load);
    const model = new PanelModel();
    widget.initialize({ model });
    for (let k = 0; k < 2; k++) await widget.render({ model, el: root.appendChild(document.createElement("div")) });
    expect(styles(root)).toHaveLength(1);
  });
});
