/** The search: which points a typed text means, and the field for it. */

import { make, setText } from "../../kernel/dom.ts";
import { formatCount } from "../../kernel/format.ts";
import type { Panel } from "../../kernel/panel.ts";
import type { Cloud } from "./cloud.ts";
import type { Column } from "./metadata.ts";

let made = 0;

export interface FinderTarget {
  /** The text changed. */
  search(): void;
  /** Enter: the rows that fit, at least one. */
  select(rows: readonly number[]): void;
  /** Escape in an empty field. */
  leave(): void;
}

export function makeFinder(listen: Panel["listen"], target: FinderTarget) {
  const [input, count] = [make("input", "nnw-points-finder-input"), make("span", "nnw-points-finder-count")];
  const label = make("label", "", "Search");
  /** 1 for each row that fits what is typed; null without a search. */
  let found: Uint8Array | null = null;
  input.type = "search";
  input.placeholder = "index or text";
  input.title = "An index, or text in labels, predictions and metadata (/). Enter selects, Escape clears.";
  count.role = "status";
  input.id = label.htmlFor = `nnw-points-finder-${++made}`;

  function rows(): number[] {
    const fitting: number[] = [];
    found?.forEach((fits, row) => fits && fitting.push(row));
    return fitting;
  }

  listen(input, "input", () => target.search());
  listen(input, "keydown", (event) => {
    // Here letters are text and not the view's keys.
    if (event.key !== "Tab") event.stopPropagation();
    if (event.key === "Enter" && rows().length > 0) target.select(rows());
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (input.value === "") target.leave();
    input.value = "";
    target.search();
  });
  return {
    element: make("div", "nnw-points-finder", label, count, input),
    found: () => found,
    focus(): void {
      input.focus();
      input.select();
    },
    /** Looks for what is typed, and says how many points fit. */
    find(cloud: Cloud, columns: readonly Column[]): void {
      found = searchRows(input.value, cloud, columns);
      setText(count, found ? `${formatCount(rows().length)} of ${formatCount(cloud.n)} match` : "");
    },
  };
}

/**
 * 1 for every row of a cloud that a query fits; null for an empty one. "17" is the sample with this index, "#17" only
 * that; any text is looked for in the names of classes and predictions and in the texts of the columns.
 */
export function searchRows(query: string, cloud: Cloud, columns: readonly Column[]): Uint8Array | null {
  const text = query.trim().toLowerCase();
  if (text === "" || text === "#") return null;
  const found = new Uint8Array(cloud.n);
  const digits = /^#?(\d+)$/.exec(text)?.[1];
  if (digits !== undefined) {
    const row = Array.prototype.indexOf.call(cloud.indices, Number(digits));
    if (row >= 0) found[row] = 1;
    if (text.startsWith("#")) return found;
  }
  mark(found, cloud.labels, fitting(cloud.classes.map(({ name }) => name), text));
  mark(found, cloud.predicted, fitting(cloud.predictedNames, text));
  for (const { codes, names } of columns) if (codes) mark(found, codes, fitting(names, text));
  return found;
}

/** Names in small letters, made once: a user may give each sample its own. */
const small = new WeakMap<readonly string[], string[]>();

function fitting(names: readonly string[], text: string): Uint8Array {
  const lower = small.get(names) ?? names.map((name) => name.toLowerCase());
  small.set(names, lower);
  const fits = new Uint8Array(names.length);
  for (let k = 0; k < fits.length; k++) if (lower[k]?.includes(text)) fits[k] = 1;
  return fits;
}

function mark(found: Uint8Array, codes: ArrayLike<number>, fits: Uint8Array): void {
  if (!fits.includes(1)) return;
  for (let i = 0; i < found.length; i++) if (fits[codes[i] as number]) found[i] = 1;
}
