/**
 * Pointer and keys over a drawing that is made of places: bins, cells, bars, rows. One tab stop, arrows walk, Enter is a
 * click, the place under the pointer or the keys is said in words. Knows places; knows no data.
 */

import type { Rect } from "../kernel/canvas.ts";
import { make, setBox, setHidden } from "../kernel/dom.ts";
import { bindKeys, walk } from "../kernel/keys.ts";
import type { Panel } from "../kernel/panel.ts";

/** A place in words; its rectangle in the element's coordinates. */
export interface Place {
  rect: Rect;
  text: string;
  strong?: string;
}

export interface Places {
  /** "grid" walks in both directions and names rows and columns, the others are lists. */
  role: "grid" | "listbox" | "tree";
  count(): number;
  /** How many stand beside each other; default 1. */
  columns?(): number;
  /** Which place is at a point of the element, or is drawn by the element that was hit. */
  at(x: number, y: number, hit: Element): number | null;
  place(index: number): Place;
  /** The element of a place, where it has one; else one that moves to the current place stands for all. */
  item?(index: number): HTMLElement | undefined;
  /** A click, or Enter. */
  choose(index: number): void;
  /** Keys with a meaning of their own; whether it took this one. */
  press?(key: string, index: number): boolean;
  /** The pointer or the keys came to a place, or left. Shows something else in place of the tooltip if it says true. */
  visit?(index: number | null, near: Rect): boolean;
}

const ITEM_ROLES = { grid: "gridcell", listbox: "option", tree: "treeitem" } as const;
let cursors = 0;

/** Binds pointer and keys; the returned function is called after a drawing: places moved, came or went. */
export function bindCursor(panel: Panel, element: HTMLElement, places: Places): () => void {
  const { listen } = panel;
  const id = `nnw-cursor-${++cursors}`;
  const outline = make("div", "nnw-outline");
  /** Stands for the current place of a drawing without elements. */
  const item = make("div", "nnw-cursor-item");
  const row = make("div", "nnw-cursor-row", item);
  let marked: HTMLElement | undefined;
  let current = 0;
  let pointer: { x: number; y: number; hit: Element } | null = null;
  /** The keys came last to a place and its words are on show. */
  let walking = false;

  element.classList.add("nnw-cursor");
  element.role = places.role;
  item.id = id;
  item.role = ITEM_ROLES[places.role];
  if (places.role === "grid") row.role = "row";
  outline.hidden = true;
  element.append(outline);
  if (!places.item) element.append(row);

  function refresh(): void {
    const count = places.count();
    element.tabIndex = count > 0 ? 0 : -1;
    current = Math.max(0, Math.min(current, count - 1));
    mark(count);
    if (pointer) point(pointer);
    else if (walking && count > 0) say(current);
  }

  /** Makes the current place the active one for the keys and for a screen reader. */
  function mark(count: number): void {
    marked?.classList.remove("nnw-cursor-current");
    setHidden(row, count === 0);
    if (count === 0) {
      element.removeAttribute("aria-activedescendant");
      return;
    }
    const own = places.item?.(current);
    if (own) {
      own.id ||= `${id}-${current}`;
      own.classList.add("nnw-cursor-current");
      marked = own;
    } else {
      const { rect, text, strong = "" } = places.place(current);
      item.ariaLabel = text + strong;
      setBox(item, rect);
      if (places.role === "grid") {
        const columns = places.columns?.() ?? 1;
        row.ariaRowIndex = String(Math.floor(current / columns) + 1);
        item.ariaColIndex = String((current % columns) + 1);
      }
    }
    element.setAttribute("aria-activedescendant", own?.id ?? id);
  }

  function find(x: number, y: number, hit: Element): number | null {
    const box = element.getBoundingClientRect();
    return places.at(x - box.x, y - box.y, hit);
  }

  function point({ x, y, hit }: { x: number; y: number; hit: Element }): void {
    const found = hit.isConnected ? find(x, y, hit) : null;
    if (found === null) quiet();
    else say(found);
  }

  function say(index: number): void {
    const { rect, text, strong } = places.place(index);
    const box = element.getBoundingClientRect();
    const near = { ...rect, x: box.x + rect.x, y: box.y + rect.y };
    setHidden(outline, places.item !== undefined);
    setBox(outline, rect);
    if (!places.visit?.(index, near)) panel.tooltip.show(near, text, strong);
  }

  function quiet(): void {
    setHidden(outline, true);
    panel.tooltip.hide();
    places.visit?.(null, { x: 0, y: 0, width: 0, height: 0 });
  }

  listen(element, "pointermove", ({ clientX, clientY, target }) => {
    pointer = { x: clientX, y: clientY, hit: target as Element };
    walking = false;
    point(pointer);
  });
  listen(element, "pointerleave", () => {
    pointer = null;
    quiet();
  });
  listen(element, "blur", () => {
    walking = false;
    if (!pointer) quiet();
  });
  listen(element, "click", ({ clientX, clientY, target }) => {
    const found = find(clientX, clientY, target as Element);
    if (found === null) return;
    current = found;
    refresh();
    places.choose(found);
  });
  bindKeys(element, listen, ({ key, target }) => {
    // Buttons within have keys of their own.
    if (target !== element || places.count() === 0) return false;
    if (key === "Enter" || key === " ") {
      places.choose(current);
      return true;
    }
    if (places.press?.(key, current)) return true;
    const to = walk(key, current, places.count(), places.columns?.() ?? 1);
    if (to === null) return false;
    walking = true;
    pointer = null;
    current = to;
    places.item?.(to)?.scrollIntoView?.({ block: "nearest" });
    refresh();
    return true;
  });
  return refresh;
}

/** Where an element lies within another one. */
export function rectWithin(element: Element, outer: Element): Rect {
  const [box, frame] = [element.getBoundingClientRect(), outer.getBoundingClientRect()];
  return { x: box.x - frame.x, y: box.y - frame.y, width: box.width, height: box.height };
}

/** The place that an element belongs to, by the nearest `data-place` around it. */
export function placeOf(hit: Element): number | null {
  const place = hit.closest<HTMLElement>("[data-place]")?.dataset["place"];
  return place === undefined ? null : Number(place);
}
