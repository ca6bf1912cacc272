/** The table of the chosen position, one row for each panel, and the same in words for a screen reader. */

import { make, setText } from "../../kernel/dom.ts";
import { type Result, indexOf } from "./data.ts";
import type { Cell } from "./geometry.ts";
import { type Row, formatEnd, tableRows } from "./table.ts";

export function makeReadout() {
  const place = make("th");
  const names = [make("th"), make("th"), make("th")];
  const head = make("tr", "", place, ...names);
  const body = make("tbody");
  const table = make("table", "nnw-heat-table", make("thead", "", head), body);
  const live = make("div", "nnw-heat-live nnw-unseen");
  live.setAttribute("role", "status");
  let words: string[] = [];

  function fill(rows: readonly Row[]): void {
    while (body.rows.length > rows.length) body.deleteRow(-1);
    while (body.rows.length < rows.length) {
      const label = make("th");
      label.setAttribute("scope", "row");
      body.append(make("tr", "", label, make("td"), make("td"), make("td")));
    }
    rows.forEach((row, k) => row.forEach((text, column) => setText(body.rows[k]!.cells[column]!, text)));
  }

  return {
    table,
    /** Read out when the square moves by key. */
    live,
    show(result: Result, cell: Cell, fixed: boolean): void {
      const { block, positions, panels } = result;
      const what = fixed ? "Fixed" : block.squares ? "Square" : "Pixel";
      setText(place, `${what} at row ${positions.rows[cell.i]}, col ${positions.cols[cell.j]}`);
      place.title = fixed ? "Esc frees the square" : "A click fixes the square";
      names.forEach((name, k) => setText(name, block.columns[k]!));
      const at = indexOf(result, cell);
      const rows = tableRows(panels, result.computed(at) ? at : null);
      fill(rows);
      const pixel = block.squares ? [] : [`${block.unit} ${formatEnd(block.values.data[at]!, block.decimals)}`];
      words = [...pixel, ...rows.map(([label, , covered]) => `${label} ${covered}`)];
    },
    announce(): void {
      setText(live, [place.textContent, ...words].join("; "));
    },
  };
}
