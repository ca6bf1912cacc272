/** The search field: what is typed, which and how many points fit, Enter and Escape. Draws none. */

import { make, setText } from "../../kernel/dom.ts";
import { formatCount } from "../../kernel/format.ts";
import type { Panel } from "../../kernel/panel.ts";
import type { Cloud } from "./cloud.ts";
import type { Column } from "./metadata.ts";
import { searchRows } from "./search.ts";

let made = 0;

export interface FinderTarget {
  /** The text changed. */
  search(): void;
  /** Enter: the rows that fit, at least one. */
  select(rows: readonly number[]): void;
  /** Escape in an empty field. */
  leave(): void;
}

export class Finder {
  readonly element: HTMLElement;
  /** 1 for each row that fits what is typed; null without a search. */
  found: Uint8Array | null = null;
  readonly #input = make("input", "nnw-points-finder-input");
  readonly #count = make("span", "nnw-points-finder-count");

  constructor(listen: Panel["listen"], target: FinderTarget) {
    this.#input.type = "search";
    this.#input.placeholder = "index or text";
    this.#input.title = "An index, or text in labels, predictions and metadata (/). Enter selects, Escape clears.";
    this.#count.role = "status";
    const label = make("label", "", "Search");
    this.#input.id = `nnw-points-finder-${++made}`;
    label.htmlFor = this.#input.id;
    this.element = make("div", "nnw-points-finder", label, this.#count, this.#input);
    listen(this.#input, "input", () => target.search());
    listen(this.#input, "keydown", (event) => {
      const { key } = event;
      // Here letters are text and not the view's keys.
      if (key !== "Tab") event.stopPropagation();
      if (key === "Enter" && this.#rows().length > 0) target.select(this.#rows());
      if (key !== "Escape") return;
      event.preventDefault();
      if (this.#input.value === "") target.leave();
      this.#input.value = "";
      target.search();
    });
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  /** Looks for what is typed, and says how many points fit. */
  find(cloud: Cloud, columns: readonly Column[]): void {
    this.found = searchRows(this.#input.value, cloud, columns);
    const words = `${formatCount(this.#rows().length)} of ${formatCount(cloud.n)} match`;
    setText(this.#count, this.found ? words : "");
  }

  #rows(): number[] {
    const rows: number[] = [];
    this.found?.forEach((fits, row) => fits && rows.push(row));
    return rows;
  }
}
