/** One tooltip per widget: text beside what it explains, inside the widget, never over it. */

import type { Rect } from "./canvas.ts";
import { make, setHidden, setText } from "./dom.ts";

const GAP = 6;

/** Where a box of a size goes: below right of the rectangle, or on the side where there is room inside the frame. */
export function placeBeside(near: Rect, width: number, height: number, frame: Rect): { x: number; y: number } {
  const right = near.x + near.width + GAP;
  const below = near.y + near.height + GAP;
  const fitsRight = right + width <= frame.x + frame.width;
  const fitsBelow = below + height <= frame.y + frame.height;
  const left = Math.max(frame.x, near.x - GAP - width);
  return {
    x: fitsRight ? right : left,
    y: fitsBelow ? below : Math.max(frame.y, near.y - GAP - height),
  };
}

export function makeTooltip(root: HTMLElement) {
  const words = make("span");
  const value = make("b");
  const box = make("div", "nnw-tooltip nnw-float", words, value);
  box.role = "tooltip";
  box.hidden = true;
  root.append(box);
  return {
    /** Shows plain words and a strong value beside a rectangle in the client's coordinates. */
    show(near: Rect, text: string, strong = ""): void {
      setText(words, text);
      setText(value, strong);
      setHidden(box, false);
      const frame = root.getBoundingClientRect();
      const spot = placeBeside(near, box.offsetWidth, box.offsetHeight, frame);
      box.style.left = `${spot.x - frame.x - root.clientLeft}px`;
      box.style.top = `${spot.y - frame.y - root.clientTop}px`;
    },
    hide: () => setHidden(box, true),
  };
}
