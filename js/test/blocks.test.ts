import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { BlockData, BlockView, Host, MakeBlock } from "../src/blocks/block.ts";
import type { Registry } from "../src/kernel/blocks.ts";
import type { NdArray } from "../src/kernel/wire.ts";
import { make } from "../src/kernel/dom.ts";
import { type Frames, type Sample, type ViewHost, fakeFrames, mountView } from "./host.ts";

interface NoteData extends BlockData {
  text?: string;
  values?: NdArray;
}

/** What happened to the blocks, in order: "made a", "updated a", "drew a". */
let log: string[];
let data: Record<string, NoteData>;
let hosts: Record<string, Host>;
let broken: "" | "make" | "update" | "draw";
let frames: Frames;
let view: ViewHost;

const makeNote: MakeBlock<NoteData> = (host): BlockView<NoteData> => {
  if (broken === "make") throw new Error("cannot be made");
  const element = make("p");
  let key = "?";
  host.panel.listen(window, "focus", () => log.push(`${key} heard`));
  host.panel.onDispose(() => log.push(`removed ${key}`));
  return {
    element,
    ownOptions: ["size"],
    update(next) {
      ({ key } = next);
      hosts[key] = host;
      if (broken === "update" && key === "a") throw new Error("cannot read it");
      data[key] = next;
      log.push(`updated ${key}`);
      element.textContent = next.text ?? "";
    },
    draw() {
      if (broken === "draw" && key === "a") throw new Error("cannot draw it");
      log.push(`drew ${key}`);
    },
    state: () => log.push(`told ${key}`),
  };
};
const registry: Registry = { note: makeNote, other: makeNote };
const note = (key: string, fields: object = {}, more: object = {}): object => ({ kind: "note", key, fields, ...more });
const keys = (): (string | undefined)[] => view.all(".nnw-block").map(({ dataset }) => dataset.key);
const numbers = (...values: number[]): Sample => ({ dtype: "float32", shape: [values.length], data: values });
const happened = (): string[] => log.splice(0);

beforeEach(() => {
  vi.useFakeTimers();
  frames = fakeFrames();
  [log, data, hosts, broken] = [[], {}, {}, ""];
  view = mountView(registry, frames);
  frames.run();
});
afterEach(() => {
  view.unmount();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

describe("what changed of a block", () => {
  test("comes to what is known of it; the rest and its arrays stay the very same", () => {
    view.show([note("a", { text: "one", title: "T" })], { "a/values": numbers(1, 2) });
    const { values } = data.a!;
    view.show([note("a", { text: "two" }, { whole: false })]);
    expect(data.a).toMatchObject({ key: "a", kind: "note", title: "T", note: "", text: "two" });
    expect(data.a!.values).toBe(values);
    view.show([note("a", {}, { whole: false })], { "a/values": numbers(3) });
    expect([...data.a!.values!.data]).toEqual([3]);
    expect(data.a!.text).toBe("two");
  });

  test("may be that a field is gone", () => {
    view.show([note("a", { text: "one", note: "n" })], { "a/values": numbers(1) });
    view.show([note("a", {}, { whole: false, gone: ["text", "values", "note"] })]);
    expect(data.a).toEqual({ key: "a", kind: "note", title: "", note: "" });
  });

  test("may be everything, and then nothing is kept", () => {
    view.show([note("a", { text: "one" })], { "a/values": numbers(1) });
    view.show([note("a", { title: "new" })]);
    expect(data.a).toEqual({ key: "a", kind: "note", title: "new", note: "" });
  });

  test("is merged for every picture, also those that a newer one overtook", () => {
    view.show([note("a", { text: "one" })]);
    const send = (seq: number, fields: object): void =>
      view.model.receive({
        kind: "frame",
        seq,
        channel: "picture",
        header: { title: "", blocks: [{ key: "a", kind: "note", row: 0, fields }] },
        arrays: [],
      });
    send(2, { text: "two" });
    send(3, { title: "three" });
    expect(happened()).toContain("updated a");
    frames.run();
    expect(happened()).toEqual(["updated a", "drew a"]);
    expect(data.a).toMatchObject({ text: "two", title: "three" });
  });

  test.each([
    ["of a block never seen", 9, "b"],
    ["older than what is shown", 1, "a"],
  ])("is asked for once more when it is %s; the picture stays", (_, seq, key) => {
    view.show([note("a", { text: "one" })]);
    view.show([note("a", { text: "two" }, { whole: false })]);
    const hellos = (): number => view.model.of("hello").length;
    const before = hellos();
    const blocks = [{ key, kind: "note", row: 0, fields: { text: "late" } }];
    for (const each of [seq, seq]) {
      view.model.receive({ kind: "frame", seq: each, channel: "picture", header: { title: "", blocks }, arrays: [] });
      frames.run();
    }
    expect(hellos()).toBe(before + 1);
    expect([keys(), data.a!.text]).toEqual([["a"], "two"]);
    expect(view.model.of("ack").length).toBe(4);
  });
});

describe("the blocks on the page", () => {
  test("stand in order, and side by side in one row", () => {
    view.show([note("a", {}, { row: 0 }), note("b", {}, { row: 1 }), note("c", {}, { row: 1 })]);
    const rows = view.all(".nnw-block-row").map((row) => [...row.children].map((each) => (each as HTMLElement).dataset.key));
    expect(rows).toEqual([["a"], ["b", "c"]]);
    expect(view.all("section.nnw-block-note")).toHaveLength(3);
  });

  test("that go are taken down, those that stay are the same elements in their new order", () => {
    view.show([note("a"), note("b"), note("c")]);
    const [a, , c] = view.all(".nnw-block");
    happened();
    view.show([note("c", {}, { whole: false }), note("a", {}, { whole: false })]);
    expect(view.all(".nnw-block")).toEqual([c, a]);
    expect(happened()).toContain("removed b");
    window.dispatchEvent(new Event("focus"));
    expect(happened().sort()).toEqual(["a heard", "c heard"]);
  });

  test("are made anew when another kind takes the name", () => {
    view.show([note("a")]);
    view.show([{ kind: "other", key: "a" }]);
    expect(view.all(".nnw-block").map(({ className }) => className)).toEqual(["nnw-block nnw-block-other"]);
  });

  test("are taken down with the view", () => {
    view.show([note("a"), note("b")]);
    happened();
    view.unmount();
    expect(happened().sort()).toEqual(["removed a", "removed b"]);
  });

  test("carry their title and note as plain words, and no line without them", () => {
    view.show([note("a", { title: "<b>T</b>", note: "n" }), note("b")]);
    const labels = view.all(".nnw-block > .nnw-label");
    expect(labels.map(({ hidden }) => hidden)).toEqual([false, true]);
    expect([...labels[0]!.children].map(({ textContent }) => textContent)).toEqual(["<b>T</b>", "n"]);
  });

  test("are drawn once a frame and only those that have something new", async () => {
    view.show([note("a"), note("b")]);
    happened();
    view.show([note("a", { text: "new" }, { whole: false }), note("b", {}, { whole: false })]);
    expect(happened()).toEqual(["updated a", "told b", "drew a", "drew b"]);
    hosts.b!.panel.redraw();
    hosts.b!.panel.redraw();
    frames.run();
    expect(happened()).toEqual(["drew b"]);
    document.body.dataset.jpThemeName = "other";
    await Promise.resolve();
    frames.run();
    expect(happened()).toEqual(["drew a", "drew b"]);
  });

  test("hear of headers that come alone", () => {
    view.show([note("a")]);
    happened();
    view.state({ selection: { unit: 3 } });
    expect(happened()).toEqual(["told a", "drew a"]);
  });

  test("say what was clicked and what Python is to know of them, by their name", () => {
    view.show([note("a")]);
    hosts.a!.click({ row: 1 });
    hosts.a!.tell({ page: 2 });
    expect(view.commands()).toEqual([
      ["click", { block: "a", where: { row: 1 } }],
      ["block_state", { block: "a", state: { page: 2 } }],
    ]);
  });

  test("leave an empty frame before the first and nothing of it after", () => {
    const empty = view.one(".nnw-blocks-empty");
    expect(empty.hidden).toBe(false);
    view.show([note("a")]);
    expect(empty.hidden).toBe(true);
    view.state({});
    expect(keys()).toEqual(["a"]);
  });

  test("draw options themselves that the head then leaves out", () => {
    const option = (name: string): object => ({ name, label: name, kind: "slider", value: 1 });
    view.show([note("a")], {}, { options: [option("size"), option("more")] as never });
    expect(view.all(".nnw-control > span").map(({ textContent }) => textContent)).toEqual(["more"]);
  });
});

describe("a block that fails", () => {
  function error(key: string): string | null | undefined {
    const block = view.all(".nnw-block").find(({ dataset }) => dataset.key === key);
    const element = block?.querySelector<HTMLElement>(".nnw-error");
    return element?.hidden ? undefined : element?.textContent;
  }

  test.each([
    ["update", "cannot read it"],
    ["draw", "cannot draw it"],
  ] as const)("to %s says so in its place, tells Python once, and the others go on", (when, words) => {
    broken = when;
    view.show([note("a"), note("b")]);
    expect([error("a"), error("b")]).toEqual([words, undefined]);
    expect(log).toContain("drew b");
    view.show([note("a", { text: "x" }, { whole: false }), note("b", {}, { whole: false })]);
    expect(view.commands()).toEqual([["error", `Error: ${words}`]]);
    broken = "";
    happened();
    view.show([note("a", { text: "y" }, { whole: false }), note("b", {}, { whole: false })]);
    expect([happened(), error("a")]).toEqual([["updated a", "told b", "drew a", "drew b"], undefined]);
  });

  test("to be made says so, and is tried no more", () => {
    broken = "make";
    view.show([note("a")]);
    expect(error("a")).toBe("cannot be made");
    expect(view.model.of("ack")).toHaveLength(1);
  });

  test("to be known says to reload the page", () => {
    view.show([{ kind: "spiral" }, note("b"), { kind: "constructor" }]);
    expect(error("spiral")).toBe("This page's code does not know spiral; reload the page");
    expect(error("constructor")).toContain("does not know constructor");
    expect(log).toContain("drew b");
  });
});
