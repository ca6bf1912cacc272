/** A host without a kernel: a fake model, animation frames on demand, a canvas that records its calls. */

import { vi } from "vitest";
import { type Registry, makeBlocks } from "../src/kernel/blocks.ts";
import type { AnyModel } from "../src/kernel/connection.ts";
import type { BlockDelta, CommonHeader } from "../src/kernel/header.ts";
import { type Widget, definePanel } from "../src/kernel/panel.ts";

export interface Sent {
  kind: string;
  seq?: number;
  request?: number;
  name?: string;
  value?: unknown;
  visible?: boolean;
  width?: number;
}

type Handler = (...args: never[]) => void;

export class FakeModel implements AnyModel {
  readonly sent: Sent[] = [];
  readonly handlers = new Map<string, Set<Handler>>();

  constructor(private readonly traits: Record<string, unknown> = {}) {}

  get(name: string): unknown {
    return this.traits[name];
  }
  send(content: unknown): void {
    this.sent.push(content as Sent);
  }
  on(event: string, handler: Handler): void {
    this.handlers.set(event, (this.handlers.get(event) ?? new Set()).add(handler));
  }
  off(event: string, handler?: Handler | null): void {
    if (handler) this.handlers.get(event)?.delete(handler);
  }
  /** What Python sends. */
  receive(message: unknown, buffers: DataView[] = []): void {
    for (const handler of this.handlers.get("msg:custom") ?? []) handler(message as never, buffers as never);
  }
  /** Messages of a kind the browser sent. */
  of(kind: string): Sent[] {
    return this.sent.filter((message) => message.kind === kind);
  }
}

export interface Frames {
  /** Runs what waits for the next animation frame. */
  run(): void;
}

/** Animation frames that come when the test says so. */
export function fakeFrames(): Frames {
  let waiting = new Map<number, FrameRequestCallback>();
  let next = 1;
  vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => {
    waiting.set(next, callback);
    return next++;
  });
  vi.stubGlobal("cancelAnimationFrame", (id: number) => waiting.delete(id));
  return {
    run() {
      const now = waiting;
      waiting = new Map();
      for (const callback of now.values()) callback(performance.now());
    },
  };
}

export type Call = [string, ...unknown[]];

/** A 2D context that records calls and assignments instead of drawing. */
export function recordingContext(calls: Call[] = []): CanvasRenderingContext2D {
  const image = (width: number, height: number): unknown => ({
    width,
    height,
    data: new Uint8ClampedArray(width * height * 4),
  });
  return new Proxy({} as CanvasRenderingContext2D, {
    get: (_, name) => (name === "calls" ? calls : recorder(String(name))),
    set: (_, name, value) => {
      calls.push([`${String(name)} =`, value]);
      return true;
    },
  });
  function recorder(name: string): (...args: unknown[]) => unknown {
    return (...args) => {
      calls.push([name, ...args]);
      if (name === "createImageData") return image(args[0] as number, args[1] as number);
      if (name === "measureText") return { width: 6 * String(args[0]).length };
      return undefined;
    };
  }
}

/** Gives every canvas of jsdom one recording context; returns its calls. */
export function recordCanvases(): Call[] {
  const calls: Call[] = [];
  const context = recordingContext(calls);
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation((() => context) as never);
  return calls;
}

export interface Host {
  model: FakeModel;
  widget: Widget;
  el: HTMLElement;
  unmount: () => void;
  close: () => void;
}

/** Starts a panel and mounts it once. */
export function mount(define: () => Widget): Host {
  const model = new FakeModel();
  const widget = define();
  const close = widget.initialize({ model });
  const el = document.createElement("div");
  document.body.append(el);
  return { model, widget, el, unmount: widget.render({ model, el }), close };
}

/** An array as a test writes it. */
export interface Sample {
  dtype: Dtype;
  shape: number[];
  data: Iterable<number>;
}

export interface ViewHost extends Host {
  /** Sends a picture of these blocks and draws it; arrays are named `<key>/<field>`. */
  show(blocks: Partial<BlockDelta>[], arrays?: Record<string, Sample>, header?: Partial<CommonHeader>): void;
  /** Sends a header alone and draws. */
  state(header: Partial<CommonHeader>): void;
  /** What blocks have sent: name and value of each command. */
  commands(): [string | undefined, unknown][];
  one<E extends HTMLElement = HTMLElement>(selector: string): E;
  all<E extends HTMLElement = HTMLElement>(selector: string): E[];
}

/**
 * A view of the blocks in `registry` on a page. A block that is shown is `{key: kind, row: its place, whole: true}`
 * where nothing else is said; `show([{kind: "grid", fields: {…}}])` sends a grid.
 */
export function mountView(registry: Registry, frames: Frames): ViewHost {
  const host = mount(definePanel((panel) => makeBlocks(panel, registry)));
  let seq = 0;
  const send = (channel: string, header: object, arrays: Record<string, Sample> = {}): void => {
    const specs = Object.entries(arrays).map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    const buffers = Object.values(arrays).map(({ data, dtype }) => bytes(data, dtype));
    const message = { kind: "frame", seq: ++seq, channel, header: { title: "", step: seq, ...header }, arrays: specs };
    host.model.receive(message, buffers);
    frames.run();
  };
  const all = <E extends HTMLElement = HTMLElement>(selector: string): E[] => [...host.el.querySelectorAll<E>(selector)];
  return {
    ...host,
    show(blocks, arrays, header) {
      const whole = blocks.map((block, row) => ({ key: block.kind, row, whole: true, ...block }));
      send("picture", { ...header, blocks: whole }, arrays);
    },
    state: (header) => send("state", header),
    commands: () => host.model.of("command").map(({ name, value }) => [name, value]),
    one<E extends HTMLElement = HTMLElement>(selector: string): E {
      const found = all<E>(selector);
      if (found.length !== 1) throw new Error(`${selector}: expected one element, got ${found.length}`);
      return found[0]!;
    },
    all,
  };
}

type Dtype = "float32" | "uint8" | "int16" | "uint16" | "int32";

/** Bytes of numbers as Python packs them. */
export function bytes(values: Iterable<number>, kind: Dtype): DataView {
  const make = {
    float32: Float32Array,
    uint8: Uint8Array,
    int16: Int16Array,
    uint16: Uint16Array,
    int32: Int32Array,
  }[kind];
  return new DataView(make.from([...values]).buffer);
}
