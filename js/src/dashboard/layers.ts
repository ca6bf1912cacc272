/** The list of layers: a tree, or where the dashboard is narrow a dropdown with ‹ ›; the style decides which is seen. */

import { make, setHidden, setText, showText } from "../kernel/dom.ts";
import type { CommonHeader } from "../kernel/header.ts";
import { bindKeys } from "../kernel/keys.ts";
import { makeName } from "../kernel/name.ts";
import type { Panel } from "../kernel/panel.ts";
import { makeGrip } from "./grip.ts";
import { makePicker } from "./picker.ts";

export interface LayerRow {
  name: string;
  /** The last part of the name, what the tree shows. */
  short: string;
  depth: number;
  group: boolean;
  units: number | null;
  /** Share of units that are alive, null where dead has no meaning (before an activation). */
  alive: number | null;
  dead: number;
  /** The module's class; "" for a group. */
  type: string;
  /** Why its statistics are missing, or "". */
  note: string;
}

export interface LayersHeader extends CommonHeader {
  rows: LayerRow[];
  note?: string;
  selected: string | null;
}

/** With more layers than that the list has a search box. */
const MANY = 30;

export function makeLayers(panel: Panel) {
  const tree = makeTree(panel, select);
  const picker = makePicker(panel, select);
  const titles = ["Layer", "units", "alive"].map((name) => make("span", "", name));
  titles[2]!.title = "Share of the units that fire for some sample";
  const columns = make("div", "nnw-layer nnw-layer-head", ...titles);
  const [found, note] = [make("p", "nnw-layer-note nnw-small"), make("p", "nnw-layer-note nnw-small")];
  found.role = "status";
  const list = make("div", "nnw-layer-list", columns, tree.element, found, note);
  const search = make("input", "nnw-layer-search");
  Object.assign(search, { type: "search", placeholder: "Name or type", ariaLabel: "Find layers by name or type" });
  panel.listen(search, "input", () => {
    const none = tree.filter(search.value.trim()) === 0;
    showText(found, none ? "No layer has this in its name or type." : "");
  });
  const inner = make("div", "nnw-layers-inner", search, list, picker.element);
  const element = make("div", "nnw-layers", inner, makeGrip(panel));
  search.hidden = found.hidden = true;

  function select(layer: string): void {
    panel.command("select", { layer });
    mark(layer);
  }

  function mark(layer: string | null): void {
    tree.mark(layer);
    picker.mark(layer);
  }

  return {
    element,
    update(header: LayersHeader): void {
      setHidden(search, header.rows.filter(({ group }) => !group).length <= MANY);
      tree.update(header.rows);
      picker.update(header.rows);
      setText(note, header.note ?? "");
      mark(header.selected);
    },
  };
}

export interface Tree {
  element: HTMLElement;
  update(rows: readonly LayerRow[]): void;
  mark(layer: string | null): void;
}

interface FilteredTree extends Tree {
  /** Shows the layers that have this in their name or type, all without a text; returns how many rows that makes. */
  filter(text: string): number;
}

function makeTree(panel: Panel, select: (layer: string) => void): FilteredTree {
  const element = make("div", "nnw-tree");
  element.setAttribute("role", "tree");
  element.setAttribute("aria-label", "Layers");
  const folded = new Set<string>();
  let rows: readonly LayerRow[] = [];
  let items: HTMLElement[] = [];
  let offered = "";
  let selected: string | null = null;
  let wanted = "";

  const open = (): number[] => (wanted ? matchingRows(rows, wanted) : openRows(rows, folded));

  function fold(index: number, closed: boolean): void {
    const row = rows[index];
    if (!row?.group) return;
    if (closed) folded.add(row.name);
    else folded.delete(row.name);
    show();
  }

  function show(): void {
    const shown = new Set(open());
    items.forEach((item, k) => {
      setHidden(item, !shown.has(k));
      if (rows[k]?.group) item.setAttribute("aria-expanded", String(wanted !== "" || !folded.has(rows[k].name)));
    });
  }

  function act(index: number): void {
    const row = rows[index];
    if (row?.group) fold(index, !folded.has(row.name));
    else if (row) select(row.name);
  }

  /** One tab stop: the row that was last in use. */
  function focus(index: number): void {
    items.forEach((item, k) => (item.tabIndex = k === index ? 0 : -1));
    items[index]?.focus();
    const row = rows[index];
    if (row && !row.group && row.name !== selected) select(row.name);
  }

  bindKeys(element, panel.listen, (event) => {
    const at = items.indexOf(event.target as HTMLElement);
    const row = rows[at];
    if (!row) return false;
    if (event.key === "Enter" || event.key === " ") act(at);
    else if (event.key === "ArrowLeft" && row.group && !folded.has(row.name)) fold(at, true);
    else if (event.key === "ArrowRight" && row.group && folded.has(row.name)) fold(at, false);
    else {
      const to = target(event.key, at, open(), parentRow(rows, at));
      if (to === undefined) return false;
      if (to >= 0) focus(to);
    }
    return true;
  });

  return {
    element,
    update(next) {
      const offer = JSON.stringify(next.map(({ name, depth, group, type }) => [name, depth, group, type]));
      rows = next;
      if (offer !== offered) {
        offered = offer;
        items = rows.map((row, k) => makeRow(row, () => act(k)));
        element.replaceChildren(...items);
        const first = items[0];
        if (first) first.tabIndex = 0;
      }
      rows.forEach((row, k) => fillRow(items[k]!, row));
      show();
    },
    mark(layer) {
      const moved = layer !== selected;
      selected = layer;
      items.forEach((item, k) => {
        const chosen = rows[k]?.name === layer && !rows[k].group;
        item.setAttribute("aria-selected", String(chosen));
        if (!chosen || !moved) return;
        for (const other of items) other.tabIndex = other === item ? 0 : -1;
        reveal(item);
      });
    },
    filter(text) {
      wanted = text;
      show();
      return open().length;
    },
  };
}

/** Where a key leads among the rows on show; undefined for a key that leads nowhere. */
function target(key: string, at: number, open: readonly number[], parent: number): number | undefined {
  const place = open.indexOf(at);
  const steps: Record<string, number | undefined> = {
    ArrowDown: open[place + 1] ?? at,
    ArrowUp: open[place - 1] ?? at,
    ArrowRight: open[place + 1] ?? at,
    ArrowLeft: parent,
    Home: open[0],
    End: open.at(-1),
  };
  return steps[key];
}

/** Scrolls the list alone: `scrollIntoView` would move the notebook too. */
function reveal(item: HTMLElement): void {
  const list = item.closest(".nnw-layer-list");
  if (!list || list.clientHeight === 0) return;
  const { offsetTop, offsetHeight } = item;
  if (offsetTop < list.scrollTop) list.scrollTop = offsetTop;
  else if (offsetTop + offsetHeight > list.scrollTop + list.clientHeight)
    list.scrollTop = offsetTop + offsetHeight - list.clientHeight;
}

function makeRow(row: LayerRow, click: () => void): HTMLElement {
  const name = makeName("nnw-layer-name");
  name.show(row.short);
  const item = make("div", "nnw-layer", name.element);
  if (row.group) item.classList.add("nnw-layer-group");
  else item.append(...["units", "alive", "dead"].map((column) => make("span", `nnw-layer-${column}`)));
  item.style.setProperty("--nnw-depth", String(row.depth));
  item.dataset.name = row.name;
  item.title = [row.name, row.type, row.note].filter((words) => words).join(" · ");
  item.tabIndex = -1;
  item.setAttribute("role", "treeitem");
  item.setAttribute("aria-level", String(row.depth + 1));
  item.addEventListener("click", click);
  return item;
}

function fillRow(item: HTMLElement, row: LayerRow): void {
  if (row.group) return;
  const [units, alive, dead] = [item.children[1]!, item.children[2] as HTMLElement, item.children[3]!];
  setText(units, row.units === null ? "" : String(row.units));
  alive.classList.toggle("nnw-known", row.alive !== null);
  alive.classList.toggle("nnw-some-dead", row.dead > 0);
  alive.style.setProperty("--nnw-alive-share", `${100 * (row.alive ?? 1)}%`);
  setText(dead, row.dead > 0 ? `${row.dead}†` : "");
  const words = [
    row.name,
    row.type,
    row.units === null ? "" : `${row.units} units`,
    row.dead > 0 ? `${row.dead} never fire` : "",
  ];
  item.ariaLabel = words.filter((word) => word).join(", ");
}

/** The rows on show when the groups in `folded` are closed, each with its index in `rows`. */
export function openRows(rows: readonly LayerRow[], folded: ReadonlySet<string>): number[] {
  const shown: number[] = [];
  let hiddenBelow = Infinity;
  rows.forEach((row, index) => {
    if (row.depth > hiddenBelow) return;
    hiddenBelow = row.group && folded.has(row.name) ? row.depth : Infinity;
    shown.push(index);
  });
  return shown;
}

/** The index of the group that `index` lies in, or -1 at the top. */
export function parentRow(rows: readonly LayerRow[], index: number): number {
  for (let k = index - 1; k >= 0; k--) if (rows[k]!.group && rows[k]!.depth < rows[index]!.depth) return k;
  return -1;
}

/** The layers that have `text` in their name or type, each under the groups it lies in, by their index in `rows`. */
export function matchingRows(rows: readonly LayerRow[], text: string): number[] {
  const part = text.toLowerCase();
  const shown = new Set<number>();
  rows.forEach(({ name, type, group }, index) => {
    if (group || !`${name}\n${type}`.toLowerCase().includes(part)) return;
    for (let k = index; k >= 0; k = parentRow(rows, k)) shown.add(k);
  });
  return [...shown].sort((a, b) => a - b);
}
