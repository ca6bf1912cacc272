/** The search field: what is typed, how many points fit, Enter and Escape. Knows no points. */

import { make, setText } from "../kernel/dom.ts";
import { formatCount } from "../kernel/format.ts";
import type { Panel } from "../kernel/panel.ts";

export interface FinderTarget {
  /** The text changed. */
  search(): void;
  select(): void;
  /** Escape in an empty field. */
  leave(): void;
}

export class Finder {
  readonly element: HTMLElement;
  readonly #input = make("input", "nnw-finder-input");
  readonly #count = make("span", "nnw-finder-count");

  constructor(listen: Panel["listen"], target: FinderTarget) {
    this.#input.type = "search";
    this.#input.placeholder = "index or text";
    this.#input.title = "An index, or text in labels, predictions and metadata (/). Enter selects, Escape clears.";
    this.#count.setAttribute("role", "status");
    this.element = make("div", "nnw-finder", make("label", "", make("span", "", "Search"), this.#input), this.#count);
    listen(this.#input, "input", () => target.search());
    listen(this.#input, "keydown", (event) => {
      const { key } = event as KeyboardEvent;
      // Here letters are text and not the view's keys.
      if (key !== "Tab") event.stopPropagation();
      if (key === "Enter") target.select();
      if (key !== "Escape") return;
      event.preventDefault();
      if (this.query === "") target.leave();
      this.#input.value = "";
      target.search();
    });
  }

  get query(): string {
    return this.#input.value.trim();
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  /** Says how many of how many points fit: 1 for each that does; null without a search. */
  tell(found: Uint8Array | null, of: number): void {
    const many = found?.reduce((sum, one) => sum + one, 0) ?? 0;
    setText(this.#count, found === null ? "" : `${formatCount(many)} of ${formatCount(of)} match`);
  }
}
