/** The table clean / covered / change for the chosen square, and the same in words for a screen reader. */

import { make, setText } from "../kernel/dom.ts";
import type { Cell } from "./geometry.ts";
import { type Result, coveredAt } from "./result.ts";
import { type Row, tableRows } from "./table.ts";

export interface Readout {
  table: HTMLElement;
  /** Read out when the square moves by key. */
  live: HTMLElement;
  show(result: Result, cell: Cell, fixed: boolean): void;
  announce(): void;
}

export function makeReadout(): Readout {
  const place = make("th");
  const head = make("tr", "", place, ...["clean", "covered", "change"].map((name) => make("th", "", name)));
  const cells = [0, 1, 2].map(() => [make("th"), make("td"), make("td"), make("td")]);
  cells.forEach(([label]) => label!.setAttribute("scope", "row"));
  const body = make("tbody", "", ...cells.map((row) => make("tr", "", ...row)));
  const table = make("table", "nnw-occ-table", make("thead", "", head), body);
  const live = make("div", "nnw-occ-live");
  live.setAttribute("role", "status");
  let rows: Row[] = [];

  return {
    table,
    live,
    show(result, cell, fixed) {
      const { header, positions } = result;
      setText(place, `${fixed ? "Fixed" : "Square"} at row ${positions.rows[cell.i]}, col ${positions.cols[cell.j]}`);
      place.title = fixed ? "Esc frees the square" : "A click fixes the square";
      rows = tableRows(header.table_labels, header.clean, coveredAt(result, cell), header.kind, header.class_names);
      cells.forEach((row, k) => row.forEach((element, column) => setText(element, rows[k]?.[column] ?? "")));
    },
    announce() {
      setText(live, [place.textContent, ...rows.map(([name, , covered]) => `${name} ${covered}`)].join("; "));
    },
  };
}
