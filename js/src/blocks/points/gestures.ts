/** Pointer and wheel over the cloud, made into what they mean. Knows the canvas's events; knows no data. */

import type { Panel } from "../../kernel/panel.ts";
import type { SelectMode } from "./picking.ts";

export type Tool = "pan" | "box" | "lasso";

export interface GestureTarget {
  tool(): Tool;
  /** Drag in the pan tool turns a 3-D cloud. */
  turns(): boolean;
  hover(x: number, y: number): void;
  leave(): void;
  click(x: number, y: number, mode: SelectMode): void;
  pan(dx: number, dy: number): void;
  orbit(dx: number, dy: number): void;
  /** The shape under way; null when it is done or given up. */
  outline(polygon: readonly number[] | null): void;
  select(polygon: readonly number[], mode: SelectMode): void;
  zoom(factor: number, x: number, y: number): void;
}

/** A press that moves less than this is a click. */
const CLICK_PX = 4;
/** Closer vertices add nothing to a lasso but work. */
const VERTEX_PX = 3;

const modeOf = (event: PointerEvent): SelectMode => (event.altKey ? "remove" : event.shiftKey ? "add" : "replace");

interface Drag {
  startX: number;
  startY: number;
  x: number;
  y: number;
  kind: "press" | "pan" | "orbit" | "box" | "lasso";
  polygon: number[];
}

export class Gestures {
  #drag: Drag | null = null;
  #space = false;
  /** The wheel belongs to the notebook until a click into the canvas, and again after the focus has left. */
  #wheelOn = false;
  readonly #canvas: HTMLCanvasElement;
  readonly #target: GestureTarget;

  constructor(canvas: HTMLCanvasElement, target: GestureTarget, listen: Panel["listen"]) {
    this.#canvas = canvas;
    this.#target = target;
    const on = <E extends Event>(type: string, handle: (event: E) => void, options?: AddEventListenerOptions): void =>
      listen(canvas, type, handle as (event: Event) => void, options);
    on<PointerEvent>("pointerdown", (event) => this.#down(event));
    on<PointerEvent>("pointermove", (event) => this.#move(event));
    on<PointerEvent>("pointerup", (event) => this.#up(event));
    on<PointerEvent>("pointercancel", () => this.cancel());
    on<PointerEvent>("pointerleave", () => this.#drag ?? target.leave());
    on<WheelEvent>("wheel", (event) => this.#wheel(event), { passive: false });
    on<FocusEvent>("blur", () => {
      this.#wheelOn = false;
      this.holdSpace(false);
    });
    on<KeyboardEvent>("keyup", (event) => event.key === " " && this.holdSpace(false));
  }

  /** Gives up the drag under way; false when there is none. */
  cancel(): boolean {
    const had = this.#drag !== null;
    this.#drag = null;
    this.#target.outline(null);
    this.cursor();
    return had;
  }

  holdSpace(held: boolean): void {
    this.#space = held;
    this.cursor();
  }

  cursor(): void {
    const grabs = this.#space || this.#target.tool() === "pan";
    const holding = this.#drag?.kind === "pan" || this.#drag?.kind === "orbit";
    this.#canvas.style.cursor = holding ? "grabbing" : grabs ? "grab" : "crosshair";
  }

  #at(event: MouseEvent): { x: number; y: number } {
    const frame = this.#canvas.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const { x, y } = this.#at(event);
    this.#canvas.focus({ preventScroll: true });
    this.#canvas.setPointerCapture(event.pointerId);
    this.#wheelOn = true;
    this.#drag = { startX: x, startY: y, x, y, kind: "press", polygon: [x, y] };
  }

  #move(event: PointerEvent): void {
    const { x, y } = this.#at(event);
    const drag = this.#drag;
    if (!drag) {
      this.#target.hover(x, y);
      return;
    }
    if (drag.kind === "press") {
      if (Math.hypot(x - drag.startX, y - drag.startY) < CLICK_PX) return;
      drag.kind = this.#kindOfDrag();
      this.#target.leave();
      this.cursor();
    }
    if (drag.kind === "pan") this.#target.pan(x - drag.x, y - drag.y);
    else if (drag.kind === "orbit") this.#target.orbit(x - drag.x, y - drag.y);
    else this.#extend(drag, x, y);
    drag.x = x;
    drag.y = y;
  }

  #kindOfDrag(): Drag["kind"] {
    const tool = this.#target.tool();
    if (this.#space) return "pan";
    return tool === "pan" && this.#target.turns() ? "orbit" : tool;
  }

  #extend(drag: Drag, x: number, y: number): void {
    const { startX, startY, polygon } = drag;
    if (drag.kind === "box") {
      drag.polygon = [startX, startY, x, startY, x, y, startX, y];
    } else if (Math.hypot(x - (polygon.at(-2) as number), y - (polygon.at(-1) as number)) >= VERTEX_PX) {
      polygon.push(x, y);
    }
    this.#target.outline([...drag.polygon]);
  }

  #up(event: PointerEvent): void {
    const drag = this.#drag;
    if (!drag) return;
    this.cancel();
    if (drag.kind === "press") this.#target.click(drag.startX, drag.startY, modeOf(event));
    else if (drag.kind === "box" || drag.kind === "lasso") this.#target.select(drag.polygon, modeOf(event));
  }

  #wheel(event: WheelEvent): void {
    if (!this.#wheelOn) return;
    event.preventDefault();
    const { x, y } = this.#at(event);
    const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    this.#target.zoom(Math.exp(-Math.max(-240, Math.min(240, pixels)) * 0.002), x, y);
  }
}
