/**
 * The browser's end of one widget's comm, whatever the number of its views: newest frame per channel, acknowledgement,
 * visibility, pings. Knows messages and clocks; knows no element.
 */

import { describe, refusedWords } from "./commands.ts";
import type { CommonHeader } from "./header.ts";
import { type PlacedBlock, mergeBlocks } from "./merge.ts";
import { type Frame, type Message, decodeFrame } from "./wire.ts";

/** A custom message as the model delivers it. */
export type Delivery = [message: Message, buffers?: readonly DataView[]];

/** The part of anywidget's model that the views use. */
export interface AnyModel {
  get(name: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: unknown): void;
  on(event: string, handler: (...args: never[]) => void): void;
  off(event: string, handler?: ((...args: never[]) => void) | null): void;
}

/** One mounted view, as the connection sees it. */
export interface Mounted {
  visible: boolean;
  /** Draws soon, with the channel's new frame if one is named, and calls back once it did. */
  schedule(channel: string | null, drawn?: () => void): void;
}

/** Whether the kernel answers while a cell runs: not known yet, yes, or only after the cell. */
export type Answers = "unknown" | "yes" | "view_only";

const PING_EVERY_MS = 2000;
const PING_LATE_MS = 3000;
/** The request of a report; an answer to it would only be another error. */
const REPORT = 0;

export class Connection {
  readonly newest = new Map<string, Frame<CommonHeader>>();
  /** The header in force: that of the newest frame of any channel. */
  header: CommonHeader | null = null;
  /** The blocks of the newest picture, complete: pictures say only what has changed. */
  blocks: readonly PlacedBlock[] = [];
  answers: Answers = "unknown";
  /** What was refused last, in a few words, and why, until the next command or picture. */
  refusal: { text: string; error: string } | null = null;
  /** Whether the comm is dead, as after a restart of the kernel: nothing comes any more. */
  lost = false;
  /** When the newest step was seen, by this clock (ms); stands still when training does. */
  stepSeenAt = performance.now();
  /** When the newest header arrived. */
  headerAt = performance.now();

  readonly #mounted = new Set<Mounted>();
  readonly #asked = new Map<number, { resolve(frame: Frame<never>): void; reject(error: Error): void }>();
  readonly #unanswered: { request: number; text: string; refused: string }[] = [];
  #unacked: number[] = [];
  #pictureSeq = 0;
  #width = 0;
  #waitsForWhole = false;
  #shown: boolean | null = null;
  #request = 0;
  #step: number | null = null;
  #ping: { request: number; at: number; step: number | null; patience: number } | null = null;
  readonly #model: AnyModel;
  readonly #timer: ReturnType<typeof setInterval>;

  /** `early`: what came before this code was loaded. */
  constructor(model: AnyModel, early: readonly Delivery[] = []) {
    this.#model = model;
    model.on("msg:custom", this.#receive);
    // ipywidgets' word for a comm that died; there is none for one that lives again.
    model.on("comm_live_update", this.#lose);
    this.#timer = setInterval(() => this.#beat(), PING_EVERY_MS);
    for (const [message, buffers] of early) this.#receive(message, buffers);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#model.off("msg:custom", this.#receive);
    this.#model.off("comm_live_update", this.#lose);
    for (const { reject } of this.#asked.values()) reject(new Error("the view was closed"));
    this.#asked.clear();
  }

  /** What waits for the cell to end: the newest command in words, and how many there are. */
  get waiting(): { count: number; newest: string } {
    return { count: this.#unanswered.length, newest: this.#unanswered.at(-1)?.text ?? "" };
  }

  mount(view: Mounted, width: number): void {
    this.#mounted.add(view);
    this.#width = Math.round(width);
    this.#hello();
    this.tellVisible();
  }

  unmount(view: Mounted): void {
    this.#mounted.delete(view);
    this.tellVisible();
    // A frame that waited for this view to draw it would never be acknowledged.
    if (!this.#anyVisible()) this.#acknowledge();
  }

  /** Tells Python when the first view comes into sight and when the last one leaves it. */
  tellVisible(): void {
    const visible = this.#anyVisible();
    if (visible === this.#shown) return;
    this.#shown = visible;
    this.#send({ kind: "visible", visible });
    if (visible) this.#beat();
    else this.#acknowledge();
  }

  command(name: string, value?: unknown, request = ++this.#request): void {
    this.refusal = null;
    this.#unanswered.push({ request, text: describe(value), refused: refusedWords(name, value) });
    if (this.#unanswered.length > 99) this.#unanswered.shift();
    this.#send(value === undefined ? { kind: "command", request, name } : { kind: "command", request, name, value });
  }

  ask(name: string, value?: unknown): Promise<Frame<Record<string, unknown>>> {
    const request = ++this.#request;
    return new Promise((resolve, reject) => {
      this.#asked.set(request, { resolve, reject });
      this.command(name, value, request);
    });
  }

  /** Shows that something failed here and tells Python, as nobody reads a browser's console. */
  report(error: unknown): void {
    // Said once: a drawing that fails fails again at the next animation frame.
    if (wordsOf(error) === this.refusal?.error) return;
    this.#refuse("Not drawn.", wordsOf(error));
    this.tell(error);
  }

  /** Tells Python alone: the page shows it where it happened. */
  tell(error: unknown): void {
    this.#send({ kind: "command", request: REPORT, name: "error", value: wordsOf(error) });
  }

  #refuse(text: string, error: string): void {
    this.refusal = { text, error };
    this.#scheduleAll();
  }

  #scheduleAll(): void {
    for (const view of this.#mounted) view.schedule(null);
  }

  /** A kernel that was restarted knows no comm any more: the last picture stays, and nothing is asked for. */
  readonly #lose = (): void => {
    this.lost = true;
    this.close();
    this.#scheduleAll();
  };

  #send(content: unknown): void {
    // What is asked in vain is told so.
    if (this.lost) return this.close();
    try {
      this.#model.send(content);
    } catch {
      this.#lose();
    }
  }

  readonly #receive = (message: Message, buffers: readonly DataView[] = []): void => {
    try {
      if (message.kind === "frame") this.#receiveFrame(message, buffers);
      else if (message.kind === "reply") this.#receiveReply(message, buffers);
      else if (message.kind === "pong") this.#receivePong(message.request ?? 0, message.busy === true);
    } catch (error) {
      this.report(error);
      if (message.seq !== undefined) this.#send({ kind: "ack", seq: message.seq });
    }
  };

  #receiveFrame(message: Message, buffers: readonly DataView[]): void {
    const frame = decodeFrame<CommonHeader>(message, buffers);
    if (frame.channel === "picture") {
      this.refusal = null;
      this.#mergePicture(frame, message.seq ?? this.#pictureSeq + 1);
    }
    this.newest.set(frame.channel, frame);
    this.#noteHeader(frame.header);
    if (message.seq !== undefined) this.#unacked.push(message.seq);
    for (const view of this.#mounted) view.schedule(frame.channel, () => this.#acknowledge());
    if (!this.#anyVisible()) this.#acknowledge();
  }

  #mergePicture({ header, arrays }: Frame<CommonHeader>, seq: number): void {
    const late = seq <= this.#pictureSeq;
    this.#pictureSeq = Math.max(seq, this.#pictureSeq);
    if (!header.blocks) return;
    const merged = late ? null : mergeBlocks(this.blocks, header.blocks, arrays);
    if (merged) {
      this.blocks = merged;
      this.#waitsForWhole = false;
    } else if (!this.#waitsForWhole) {
      // A picture was missed, so what came now has nothing to stand on: the next one is to be whole.
      this.#waitsForWhole = true;
      this.#hello();
    }
  }

  #hello(): void {
    this.#send({ kind: "hello", width: this.#width });
  }

  #noteHeader(header: CommonHeader): void {
    const now = performance.now();
    this.header = header;
    this.headerAt = now;
    const step = header.training_step ?? header.step;
    if (step !== undefined && step !== this.#step) {
      this.#step = step;
      this.stepSeenAt = header.training_step == null ? now - 1000 * (header.age_s ?? 0) : now;
    }
  }

  #receiveReply(message: Message, buffers: readonly DataView[]): void {
    const request = message.request ?? REPORT;
    const pending = this.#asked.get(request);
    if (!pending) {
      if (message.error && request !== REPORT) {
        const command = this.#unanswered.find((each) => each.request === request);
        this.#refuse(command?.refused ?? "Not done.", message.error);
      }
      return;
    }
    this.#asked.delete(request);
    if (message.error) pending.reject(new Error(message.error));
    else pending.resolve(decodeFrame<never>(message, buffers));
  }

  /** Messages keep their order, so an answered ping answers every command before it. */
  #receivePong(request: number, busy: boolean): void {
    if (this.#ping?.request === request) this.#ping = null;
    while (this.#unanswered[0] && this.#unanswered[0].request < request) this.#unanswered.shift();
    this.#setAnswers(busy ? "yes" : this.answers === "view_only" ? "unknown" : this.answers);
  }

  #beat(): void {
    if (!this.#shown) return;
    const now = performance.now();
    const waited = this.#ping ? now - this.#ping.at : 0;
    if (this.#ping && waited > PING_LATE_MS && this.#step !== this.#ping.step) {
      // Steps arrive and the answer does not: the kernel holds our messages back until the cell ends.
      this.#setAnswers("view_only");
    }
    if (this.#ping && waited <= this.#ping.patience) return;
    // Asked again, ever more rarely: while JupyterLab sets a subshell up, what is sent waits behind the cell for good.
    const patience = this.#ping ? 2 * this.#ping.patience : PING_LATE_MS;
    this.#ping = { request: ++this.#request, at: now, step: this.#step, patience };
    this.#send({ kind: "ping", request: this.#ping.request });
  }

  #setAnswers(answers: Answers): void {
    this.answers = answers;
    this.#scheduleAll();
  }

  #acknowledge(): void {
    const seqs = this.#unacked;
    this.#unacked = [];
    for (const seq of seqs) this.#send({ kind: "ack", seq });
  }

  #anyVisible(): boolean {
    return [...this.#mounted].some((view) => view.visible);
  }
}

const wordsOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
