/** Outlines what is under the pointer and says its value: served from what the browser holds, no round trip. */

import type { Rect } from "./canvas.ts";
import { make, setBox, setHidden } from "./dom.ts";
import type { Panel } from "./panel.ts";

/** What a point names: a tile, the cell there in the board's coordinates, and words with a value. */
export interface Hit {
  tile: number;
  cell: Rect;
  text: string;
  strong: string;
}

/** Binds an element; the returned function looks again, for when the picture changed under a resting pointer. */
export function bindHover(panel: Panel, element: HTMLElement, hit: (x: number, y: number) => Hit | null): () => void {
  const outline = make("div", "nnw-outline");
  outline.hidden = true;
  element.append(outline);
  let at: { x: number; y: number } | null = null;
  const refresh = (): void => {
    if (!at) return;
    const box = element.getBoundingClientRect();
    const found = hit(at.x - box.x, at.y - box.y);
    setHidden(outline, !found);
    if (!found) return panel.tooltip.hide();
    setBox(outline, found.cell);
    panel.tooltip.show({ ...found.cell, x: box.x + found.cell.x, y: box.y + found.cell.y }, found.text, found.strong);
  };
  panel.listen(element, "pointermove", ({ clientX, clientY }) => {
    at = { x: clientX, y: clientY };
    refresh();
  });
  panel.listen(element, "pointerleave", () => {
    at = null;
    setHidden(outline, true);
    panel.tooltip.hide();
  });
  return refresh;
}
