/** A table that is sorted by a click on a column's name, whose rows can be walked and clicked. */

import { make, setText, showRows, showText } from "../kernel/dom.ts";
import { formatAs, formatCount } from "../kernel/format.ts";
import type { CommonHeader } from "../kernel/header.ts";
import type { MakeBlock } from "./block.ts";
import { bindCursor, placeOf, rectWithin } from "./cursor.ts";
import { makeNothing } from "./nothing.ts";
import type { Column, TableBlock } from "./types.ts";

export interface Order {
  column: string;
  descending: boolean;
}

/** A cell in words. */
export function cellText(data: TableBlock, column: Column, row: number): string {
  if (column.format === "text") return column.texts?.[row] ?? "";
  return formatAs(numberAt(data, column, row), column.format);
}

function numberAt({ numbers }: TableBlock, column: Column, row: number): number {
  return numbers.data[(column.number ?? 0) * (numbers.shape[1] ?? 0) + row] ?? Number.NaN;
}

/** The sent rows in an order; equal ones stay as they are, NaN comes last. */
export function sortRows(data: TableBlock, order: Order | null): number[] {
  const rows = Array.from({ length: data.rows.data.length }, (_, row) => row);
  const column = data.columns.find(({ name }) => name === order?.column);
  if (!order || !column) return rows;
  const sign = order.descending ? -1 : 1;
  if (column.format === "text") {
    const texts = (column.texts ?? []).map((text) => text.toLowerCase());
    return rows.sort((a, b) => sign * (texts[a]! < texts[b]! ? -1 : texts[a]! > texts[b]! ? 1 : 0));
  }
  const values = rows.map((row) => numberAt(data, column, row));
  return rows.sort((a, b) => {
    const [left, right] = [values[a]!, values[b]!];
    if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    return left === right ? 0 : sign * (left < right ? -1 : 1);
  });
}

/** What a click on a column's name does: numbers begin with the largest, words with the first. */
export function nextOrder(now: Order | null, { name, format }: Column): Order {
  if (now?.column === name) return { column: name, descending: !now.descending };
  return { column: name, descending: format !== "text" };
}

function makeLine(place: number): { element: HTMLTableRowElement } {
  const element = make("tr");
  element.role = "row";
  element.dataset["place"] = String(place);
  return { element };
}

export const makeTable: MakeBlock<TableBlock> = ({ panel, click }) => {
  const [heads, body, note] = [make("tr"), make("tbody"), make("div", "nnw-table-note nnw-small")];
  const table = make("table", "nnw-table-grid", make("thead", "", heads), body);
  const scroll = make("div", "nnw-table-scroll", table);
  const nothing = makeNothing(scroll);
  const element = make("div", "nnw-table", scroll, note, nothing.element);
  const lines: { element: HTMLTableRowElement }[] = [];
  let data: TableBlock | undefined;
  let order: Order | null = null;
  /** The order that Python wishes; the one chosen here stands until that changes. */
  let wished = "";
  let rows: number[] = [];
  let names = "";
  let sample: number | null = null;

  const sampleOf = (row: number): number | undefined => data?.samples?.data[row];
  table.role = "presentation";
  heads.role = "presentation";
  const refreshCursor = bindCursor(panel, scroll, {
    role: "grid",
    count: () => rows.length,
    at: (_x, _y, hit) => placeOf(hit),
    place: (index) => ({ rect: rectWithin(lines[index]!.element, scroll), text: wordsOf(rows[index]!) }),
    item: (index) => lines[index]?.element,
    choose: (index) => click(data!.rows.data[rows[index]!]),
    visit(index, near) {
      const about = index === null ? undefined : sampleOf(rows[index]!);
      if (about === undefined) panel.card.hide();
      else panel.card.show(about, near);
      // The row says itself what a tooltip would.
      return index !== null;
    },
  });
  panel.listen(heads, "click", (event) => {
    const name = (event.target as Element).closest<HTMLElement>("[data-column]")?.dataset["column"];
    const column = data?.columns[Number(name)];
    if (!column) return;
    order = nextOrder(order, column);
    panel.redraw();
  });

  function wordsOf(row: number): string {
    return data!.columns.map((column) => `${column.name} ${cellText(data!, column, row)}`).join(", ");
  }

  function showHeads(columns: readonly Column[]): void {
    const now = JSON.stringify(columns.map(({ name, format }) => [name, format === "text"]));
    if (now !== names) {
      names = now;
      const cells = columns.map(({ name, format }, k) => {
        const button = make("button", "nnw-table-sort nnw-link", make("span", "", name), make("span", "nnw-table-arrow"));
        button.dataset["column"] = String(k);
        const cell = make("th", format === "text" ? "nnw-table-text" : "", button);
        cell.role = "columnheader";
        return cell;
      });
      heads.role = "row";
      heads.replaceChildren(...cells);
    }
    [...heads.children].forEach((cell, k) => {
      const sorted = order?.column === columns[k]?.name;
      cell.ariaSort = sorted ? (order?.descending ? "descending" : "ascending") : "none";
      setText(cell.querySelector(".nnw-table-arrow")!, sorted ? (order?.descending ? "↓" : "↑") : "");
    });
  }

  function fillRows(now: TableBlock): void {
    showRows(body, lines, rows.length, makeLine);
    rows.forEach((row, i) => {
      const line = lines[i]!.element;
      while (line.children.length < now.columns.length) {
        const cell = make("td");
        cell.role = "gridcell";
        line.append(cell);
      }
      while (line.children.length > now.columns.length) line.lastElementChild!.remove();
      now.columns.forEach((column, k) => {
        const cell = line.children[k] as HTMLElement;
        setText(cell, cellText(now, column, row));
        cell.classList.toggle("nnw-table-text", column.format === "text");
        cell.classList.toggle("nnw-table-missing", column.format !== "text" && !Number.isFinite(numberAt(now, column, row)));
      });
      line.ariaSelected = String(sample !== null && sampleOf(row) === sample);
    });
  }

  function readSample(header: CommonHeader): void {
    sample = header.selection?.sample ?? null;
  }

  return {
    element,
    update(next, header) {
      readSample(header);
      data = next;
      const told = JSON.stringify([next.sort, next.descending]);
      if (told !== wished) order = next.sort === undefined ? null : { column: next.sort, descending: next.descending };
      wished = told;
      const shown = next.rows.data.length;
      nothing.show(shown === 0, next.empty);
      const by = next.sort ? ` by ${next.sort}` : "";
      showText(note, next.total > shown ? `first ${formatCount(shown)} of ${formatCount(next.total)}${by}` : "");
      scroll.ariaLabel = `${next.title || "Table"}, ${formatCount(next.total)} rows`;
      scroll.ariaRowCount = String(next.total + 1);
    },
    state: readSample,
    draw() {
      if (!data) return;
      rows = sortRows(data, order);
      showHeads(data.columns);
      fillRows(data);
      refreshCursor();
    },
  };
};
