import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CommonHeader } from "../src/kernel/header.ts";
import { definePanel } from "../src/kernel/panel.ts";
import type { Frame } from "../src/kernel/wire.ts";
import { type Frames, bytes, fakeFrames, mount } from "./host.ts";

let frames: Frames;
let drawn: number[];
let broken: boolean;

const define = definePanel((panel) => {
  let step = 0;
  panel.listen(window, "blur", () => undefined);
  return {
    frame: (frame: Frame<CommonHeader>) => {
      if (broken) throw new Error("cannot draw");
      step = frame.header.step ?? 0;
    },
    draw: () => void drawn.push(step),
  };
});

const picture = (seq: number, header: Partial<CommonHeader> = {}, channel = "picture"): unknown => ({
  kind: "frame",
  seq,
  channel,
  header: { title: "conv1", step: seq, ...header },
  arrays: [],
});
const acks = (host: ReturnType<typeof mount>): unknown[] => host.model.of("ack").map(({ seq }) => seq);

beforeEach(() => {
  vi.useFakeTimers();
  frames = fakeFrames();
  drawn = [];
  broken = false;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

describe("acknowledgement", () => {
  it("is sent after the frame was drawn, not before", () => {
    const host = mount(define);
    host.model.receive(picture(1));
    expect(acks(host)).toEqual([]);
    frames.run();
    expect(drawn.at(-1)).toBe(1);
    expect(acks(host)).toEqual([1]);
  });

  it("is sent once, whatever the number of views", () => {
    const host = mount(define);
    const second = document.createElement("div");
    const unmount = host.widget.render({ model: host.model, el: second });
    host.model.receive(picture(1));
    frames.run();
    expect(acks(host)).toEqual([1]);
    unmount();
    host.model.receive(picture(2));
    frames.run();
    expect(acks(host)).toEqual([1, 2]);
  });

  it("is sent at once when no view is mounted", () => {
    const host = mount(define);
    host.unmount();
    host.model.receive(picture(1));
    expect(acks(host)).toEqual([1]);
  });

  it("of a frame on its way is sent when its view goes", () => {
    const host = mount(define);
    host.model.receive(picture(1));
    host.unmount();
    expect(acks(host)).toEqual([1]);
  });

  it("covers frames that a newer one overtook; only the newest is drawn", () => {
    const host = mount(define);
    frames.run();
    drawn = [];
    for (const seq of [1, 2, 3]) host.model.receive(picture(seq));
    frames.run();
    expect(drawn).toEqual([3]);
    expect(acks(host)).toEqual([1, 2, 3]);
  });

  it("is sent even for a frame that cannot be drawn, and the error is reported", () => {
    const host = mount(define);
    broken = true;
    host.model.receive(picture(1));
    frames.run();
    expect(acks(host)).toEqual([1]);
    expect(host.model.of("command")).toMatchObject([{ name: "error", value: "Error: cannot draw" }]);
    frames.run();
    expect(host.el.querySelector(".nnw-error")?.textContent).toBe("Error: cannot draw");
  });
});

describe("messages", () => {
  it("begin with a hello and end with the view out of sight", () => {
    const host = mount(define);
    expect(host.model.sent.slice(0, 2)).toMatchObject([{ kind: "hello" }, { kind: "visible", visible: true }]);
    host.unmount();
    expect(host.model.sent.at(-1)).toEqual({ kind: "visible", visible: false });
  });

  it("that are malformed are acknowledged and reported, not thrown", () => {
    const host = mount(define);
    const arrays = [{ name: "maps", dtype: "float16", shape: [3], scale: 1 }];
    const message = { kind: "frame", seq: 7, channel: "picture", header: {}, arrays };
    expect(() => host.model.receive(message, [bytes([1], "uint8")])).not.toThrow();
    expect(acks(host)).toEqual([7]);
    expect(host.model.of("command")[0]).toMatchObject({ name: "error" });
    expect(String(host.model.of("command")[0]?.value)).toContain("maps: expected 6 bytes");
  });

  it("shown in a later view are the ones it missed", () => {
    const host = mount(define);
    host.model.receive(picture(4));
    frames.run();
    host.widget.render({ model: host.model, el: document.createElement("div") });
    drawn = [];
    frames.run();
    expect(drawn).toEqual([4]);
  });

  it("that a command asked for settle its promise; an error rejects it", async () => {
    let ask: ((name: string) => Promise<Frame<Record<string, unknown>>>) | undefined;
    const asking = definePanel((panel) => {
      ask = (name) => panel.connection.ask(name);
      return { frame: () => undefined, draw: () => undefined };
    });
    const host = mount(asking);
    const answers = [ask?.("card"), ask?.("card")];
    const [first, second] = host.model.of("command").map(({ request }) => request);
    host.model.receive({ kind: "reply", request: second, error: "index: expected below 10, got 12" });
    host.model.receive({ kind: "reply", request: first, header: { title: "Sample 3" }, arrays: [] });
    await expect(answers[0]).resolves.toMatchObject({ header: { title: "Sample 3" } });
    await expect(answers[1]).rejects.toThrow("expected below 10");
  });

  it("that refuse a plain command are shown in the view that sent it", () => {
    const host = mount(define);
    host.model.receive(picture(1, { options: [option] }));
    frames.run();
    host.el.querySelector<HTMLButtonElement>(".nnw-toggle button")?.click();
    const [command] = host.model.of("command");
    expect(command).toMatchObject({ name: "option", value: { name: "scale", value: "layer" } });
    host.model.receive({ kind: "reply", request: command?.request, error: "scale: no such thing" });
    frames.run();
    expect(host.el.querySelector(".nnw-error")?.textContent).toBe("scale: no such thing");
    expect(host.el.querySelector(".nnw-state-text")?.textContent).toBe("Option not changed.");
  });
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

describe("a kernel that was restarted", () => {
  it("is said as soon as the host knows", () => {
    const host = mount(define);
    host.model.receive(picture(1));
    frames.run();
    host.model.handlers.get("comm_live_update")?.forEach((handler) => handler());
    frames.run();
    expect(host.el.querySelector(".nnw-state-text")?.textContent).toBe("The kernel restarted. Run this cell again.");
  });

  it("is said with the next thing asked of it, and nothing more is sent", () => {
    const host = mount(define);
    host.model.receive(picture(1, { options: [option] }));
    frames.run();
    const send = vi.spyOn(host.model, "send").mockImplementation(() => {
      throw new Error("Cannot send");
    });
    host.el.querySelector<HTMLButtonElement>(".nnw-toggle button")?.click();
    frames.run();
    expect(host.el.querySelector(".nnw-state-text")?.textContent).toBe("The kernel restarted. Run this cell again.");
    expect(drawn.at(-1)).toBe(1);
    host.el.querySelector<HTMLButtonElement>(".nnw-toggle button")?.click();
    vi.advanceTimersByTime(60_000);
    expect(send).toHaveBeenCalledTimes(1);
  });
});

describe("a kernel that holds clicks back", () => {
  const badge = (el: HTMLElement): HTMLElement | null => el.querySelector(".nnw-badge");

  it("is said to be view only when steps come and pings stay unanswered, with the clicks that wait", () => {
    const host = mount(define);
    host.model.receive(picture(1, { training: true, options: [option] }));
    frames.run();
    host.el.querySelector<HTMLButtonElement>(".nnw-toggle button")?.click();
    host.model.receive(picture(2, { training: true }));
    vi.advanceTimersByTime(4100);
    frames.run();
    expect(badge(host.el)?.hidden).toBe(false);
    expect(badge(host.el)?.textContent).toContain("Clicks are answered after this cell");
    expect(badge(host.el)?.textContent).toContain("1 click is waiting");
    expect(badge(host.el)?.textContent).toContain("watch.poll()");
    expect(host.model.of("ping")).toHaveLength(2);
  });

  it("is asked again, ever more rarely, as one ping may be lost behind the cell and the next be answered", () => {
    const host = mount(define);
    host.model.receive(picture(1, { training: true }));
    host.model.receive(picture(2, { training: true }));
    vi.advanceTimersByTime(60_000);
    const pings = host.model.of("ping");
    expect(pings.length).toBeGreaterThan(3);
    expect(pings.length).toBeLessThan(7);
    host.model.receive({ kind: "pong", request: pings.at(-1)?.request, busy: true });
    frames.run();
    expect(badge(host.el)?.dataset.kind).toBe("yes");
    vi.advanceTimersByTime(2100);
    expect(host.model.of("ping")).toHaveLength(pings.length + 1);
  });

  it("is not suspected while no step arrives", () => {
    const host = mount(define);
    host.model.receive(picture(1, { training: true }));
    frames.run();
    // The ping that follows knows this step.
    host.model.receive({ kind: "pong", request: host.model.of("ping")[0]?.request });
    vi.advanceTimersByTime(10_000);
    frames.run();
    expect(badge(host.el)?.hidden).toBe(true);
  });

  it("says that clicks are answered when Python handled a ping while a cell ran, and not before", () => {
    const host = mount(define);
    host.model.receive(picture(1, { training: true }));
    const request = host.model.of("ping")[0]?.request;
    host.model.receive({ kind: "pong", request, busy: false });
    frames.run();
    expect(badge(host.el)?.dataset.kind).toBeUndefined();
    host.model.receive({ kind: "pong", request, busy: true });
    frames.run();
    expect(badge(host.el)?.dataset.kind).toBe("yes");
  });

  it("is forgiven with the first answer", () => {
    const host = mount(define);
    host.model.receive(picture(1, { training: true }));
    host.model.receive(picture(2, { training: true }));
    vi.advanceTimersByTime(4100);
    host.model.receive({ kind: "pong", request: host.model.of("ping")[0]?.request });
    frames.run();
    expect(badge(host.el)?.hidden).toBe(true);
  });
});
