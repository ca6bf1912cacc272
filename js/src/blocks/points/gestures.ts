/** Pointer and wheel over the cloud, and what they do to it. */

import type { Panel } from "../../kernel/panel.ts";
import type { SelectMode } from "./picking.ts";
import type { Stage } from "./stage.ts";
import type { Tools } from "./tools.ts";

/** What gestures do beside steering the stage. */
export interface Acts {
  /** Rings a row and shows its card; -1 for none. */
  point(row: number): void;
  choose(row: number): void;
  select(rows: readonly number[], mode: SelectMode): void;
  /** Says for a moment how to zoom, or no longer. */
  hint(shown: boolean): void;
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

export function makeGestures(
  canvas: HTMLCanvasElement,
  stage: Stage,
  tools: Tools,
  acts: Acts,
  listen: Panel["listen"],
) {
  let drag: Drag | null = null;
  let space = false;

  /** Gives up the drag under way; false when there is none. */
  function cancel(): boolean {
    const had = drag !== null;
    drag = null;
    stage.outline = null;
    cursor();
    return had;
  }

  function holdSpace(held: boolean): void {
    space = held;
    cursor();
  }

  /** Shows the pointer that fits the tool. */
  function cursor(): void {
    const holding = drag?.kind === "pan" || drag?.kind === "orbit";
    canvas.style.cursor = holding ? "grabbing" : space || tools.current === "pan" ? "grab" : "crosshair";
  }

  function at(event: MouseEvent): { x: number; y: number } {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  function kindOfDrag(): Drag["kind"] {
    if (space) return "pan";
    return tools.current === "pan" && stage.turns ? "orbit" : tools.current;
  }

  function extend(now: Drag, x: number, y: number): void {
    const { startX, startY, polygon } = now;
    if (now.kind === "box") now.polygon = [startX, startY, x, startY, x, y, startX, y];
    else if (Math.hypot(x - polygon.at(-2)!, y - polygon.at(-1)!) >= VERTEX_PX) polygon.push(x, y);
    stage.outline = [...now.polygon];
  }

  function click(row: number, mode: SelectMode): void {
    if (row < 0) return;
    if (mode === "replace") acts.choose(row);
    else acts.select([row], mode);
  }

  listen(canvas, "pointerdown", (event) => {
    if (event.button !== 0) return;
    const { x, y } = at(event);
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    drag = { startX: x, startY: y, x, y, kind: "press", polygon: [x, y] };
  });
  listen(canvas, "pointermove", (event) => {
    const { x, y } = at(event);
    const now = drag;
    if (!now) return acts.point(stage.pick(x, y));
    if (now.kind === "press") {
      if (Math.hypot(x - now.startX, y - now.startY) < CLICK_PX) return;
      now.kind = kindOfDrag();
      acts.point(-1);
      cursor();
    }
    const [dx, dy] = [x - now.x, y - now.y];
    if (now.kind === "pan") stage.steer((view) => view.pan(dx, dy));
    else if (now.kind === "orbit") stage.steer((view) => view.orbit(dx, dy));
    else extend(now, x, y);
    [now.x, now.y] = [x, y];
  });
  listen(canvas, "pointerup", (event) => {
    const done = drag;
    if (!done) return;
    cancel();
    const mode = modeOf(event);
    if (done.kind === "press") click(stage.pick(done.startX, done.startY), mode);
    else if (done.kind === "box" || done.kind === "lasso") acts.select(stage.rowsInside(done.polygon), mode);
  });
  listen(canvas, "pointercancel", cancel);
  listen(canvas, "pointerleave", () => drag ?? acts.point(-1));
  listen(
    canvas,
    "wheel",
    (event) => {
      // Without a key the wheel is the notebook's. Two fingers that pinch come as a wheel with Ctrl.
      if (!event.ctrlKey && !event.metaKey) {
        if (event.deltaY !== 0) acts.hint(true);
        return;
      }
      event.preventDefault();
      acts.hint(false);
      const { x, y } = at(event);
      const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
      const factor = Math.exp(-Math.max(-240, Math.min(240, pixels)) * 0.002);
      acts.point(-1);
      stage.steer((view) => view.zoom(factor, x, y));
    },
    { passive: false },
  );
  listen(canvas, "blur", () => holdSpace(false));
  listen(canvas, "keyup", ({ key }) => key === " " && holdSpace(false));
  return { cancel, holdSpace, cursor };
}
