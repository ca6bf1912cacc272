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

export class Cursor {
  readonly #panel: Panel;
  readonly #element: HTMLElement;
  readonly #places: Places;
  readonly #id = `nnw-cursor-${++cursors}`;
  readonly #outline = make("div", "nnw-outline");
  /** Stands for the current place of a drawing without elements. */
  readonly #item = make("div", "nnw-cursor-item");
  readonly #row = make("div", "nnw-cursor-row", this.#item);
  #marked: HTMLElement | undefined;
  #current = 0;
  #pointer: { x: number; y: number; hit: Element } | null = null;
  /** The keys came last to a place and its words are on show. */
  #walking = false;

  constructor(panel: Panel, element: HTMLElement, places: Places) {
    this.#panel = panel;
    this.#element = element;
    this.#places = places;
    element.classList.add("nnw-cursor");
    element.role = places.role;
    this.#item.id = this.#id;
    this.#item.role = ITEM_ROLES[places.role];
    if (places.role === "grid") this.#row.role = "row";
    setHidden(this.#outline, true);
    element.append(this.#outline);
    if (!places.item) element.append(this.#row);
    this.#listen();
  }

  get current(): number {
    return this.#current;
  }

  /** After a drawing: places moved, came or went. */
  refresh(): void {
    const count = this.#places.count();
    this.#element.tabIndex = count > 0 ? 0 : -1;
    this.#current = Math.max(0, Math.min(this.#current, count - 1));
    this.#mark(count);
    if (this.#pointer) this.#point();
    else if (this.#walking && count > 0) this.#say(this.#current);
  }

  moveTo(index: number): void {
    this.#current = index;
    this.refresh();
  }

  /** Makes the current place the active one for the keys and for a screen reader. */
  #mark(count: number): void {
    this.#marked?.classList.remove("nnw-cursor-current");
    setHidden(this.#row, count === 0);
    if (count === 0) {
      this.#element.removeAttribute("aria-activedescendant");
      return;
    }
    const own = this.#places.item?.(this.#current);
    if (own) {
      own.id ||= `${this.#id}-${this.#current}`;
      own.classList.add("nnw-cursor-current");
      this.#marked = own;
    } else {
      const { rect, text, strong = "" } = this.#places.place(this.#current);
      this.#item.ariaLabel = text + strong;
      setBox(this.#item, rect);
      if (this.#places.role === "grid") {
        const columns = this.#places.columns?.() ?? 1;
        this.#row.ariaRowIndex = String(Math.floor(this.#current / columns) + 1);
        this.#item.ariaColIndex = String((this.#current % columns) + 1);
      }
    }
    this.#element.setAttribute("aria-activedescendant", own?.id ?? this.#id);
  }

  #listen(): void {
    const { listen } = this.#panel;
    const [element, places] = [this.#element, this.#places];
    listen(element, "pointermove", ({ clientX, clientY, target }) => {
      this.#pointer = { x: clientX, y: clientY, hit: target as Element };
      this.#walking = false;
      this.#point();
    });
    listen(element, "pointerleave", () => {
      this.#pointer = null;
      this.#quiet();
    });
    listen(element, "blur", () => {
      this.#walking = false;
      if (!this.#pointer) this.#quiet();
    });
    listen(element, "click", ({ clientX, clientY, target }) => {
      const found = this.#find(clientX, clientY, target as Element);
      if (found === null) return;
      this.moveTo(found);
      places.choose(found);
    });
    bindKeys(element, listen, ({ key, target }) => {
      // Buttons within have keys of their own.
      if (target !== element || places.count() === 0) return false;
      if (key === "Enter" || key === " ") {
        places.choose(this.#current);
        return true;
      }
      if (places.press?.(key, this.#current)) return true;
      const to = walk(key, this.#current, places.count(), places.columns?.() ?? 1);
      if (to === null) return false;
      this.#walking = true;
      this.#pointer = null;
      this.#current = to;
      places.item?.(to)?.scrollIntoView?.({ block: "nearest" });
      this.refresh();
      return true;
    });
  }

  #find(x: number, y: number, hit: Element): number | null {
    const box = this.#element.getBoundingClientRect();
    return this.#places.at(x - box.x, y - box.y, hit);
  }

  #point(): void {
    const { x, y, hit } = this.#pointer!;
    const found = hit.isConnected ? this.#find(x, y, hit) : null;
    if (found === null) this.#quiet();
    else this.#say(found);
  }

  #say(index: number): void {
    const { rect, text, strong } = this.#places.place(index);
    const box = this.#element.getBoundingClientRect();
    const near = { ...rect, x: box.x + rect.x, y: box.y + rect.y };
    setHidden(this.#outline, this.#places.item !== undefined);
    setBox(this.#outline, rect);
    if (!this.#places.visit?.(index, near)) this.#panel.tooltip.show(near, text, strong);
  }

  #quiet(): void {
    setHidden(this.#outline, true);
    this.#panel.tooltip.hide();
    this.#places.visit?.(null, { x: 0, y: 0, width: 0, height: 0 });
  }
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
