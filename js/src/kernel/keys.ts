/** Keys: walking a grid, and keeping JupyterLab's own shortcuts out while the view has the focus. */

import type { Lifetime } from "./lifetime.ts";

/** To the right and down, in cells. */
export const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Where a walking key leads in a grid of `count` cells; null when it is no walking key or leads nowhere. */
export function walk(key: string, at: number, count: number, columns: number): number | null {
  const ends: Record<string, number> = { Home: 0, End: count - 1 };
  const arrow = ARROWS[key];
  const to = ends[key] ?? (arrow ? at + arrow[0] + arrow[1] * columns : -1);
  return to >= 0 && to < count ? to : null;
}

/** Whether what has the focus makes something of letters itself: a text field, or a list that goes to an entry. */
const takesLetters = (target: EventTarget | null): boolean =>
  target instanceof HTMLSelectElement ||
  (target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox");

/** Marks a container so that JupyterLab leaves its keys alone, and acts on those that `handle` takes. */
export function bindKeys(
  target: HTMLElement,
  listen: Lifetime["listen"],
  handle: (event: KeyboardEvent) => boolean,
): void {
  target.dataset.lmSuppressShortcuts = "true";
  listen(target, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    // Every plain key stops here: a letter pressed over a view must not cut the notebook's cell.
    if (event.key !== "Tab") event.stopPropagation();
    if (!takesLetters(event.target) && handle(event)) event.preventDefault();
  });
}
