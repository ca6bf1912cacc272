/** The units of a layer: tiles, strips or a sequence, a detail column for one of them, and pages. */

import { make, setHidden, setText } from "../../kernel/dom.ts";
import { bindHover } from "../../kernel/hover.ts";
import { bindKeys, walk } from "../../kernel/keys.ts";
import type { Panel } from "../../kernel/panel.ts";
import type { MakeBlock } from "../block.ts";
import type { GridBlock } from "../types.ts";
import { makeChoice } from "./choice.ts";
import { countOf, tileOf, unitOf } from "./data.ts";
import { enlargedOf, makeDetail } from "./detail.ts";
import { type Board, makeSequence, makeStrips } from "./rows.ts";
import { makeTiles } from "./tiles.ts";

export const makeGrid: MakeBlock<GridBlock> = ({ panel, click, tell }) => {
  const tiles = makeTiles();
  const boards: Record<GridBlock["layout"], Board> = { maps: tiles, strips: makeStrips(), sequence: makeSequence() };
  const detail = makeDetail();
  const choice = makeChoice(() => panel.redraw());
  panel.onDispose(choice.forget);
  /** The unit that Python was told to keep a page for. */
  let turnedFor: number | null | undefined;
  const tellPage = (page: number): void => {
    turnedFor = choice.unit();
    tell({ page, selected: turnedFor });
  };
  const pager = makePager(panel, tellPage);
  const [title, note, hint] = [make("span", "nnw-grid-title"), make("span"), make("span", "nnw-grid-hint")];
  const places = Object.values(boards).map((board) => board.element);
  const label = make("div", "nnw-label", title, note, hint);
  const board = make("div", "nnw-grid-board", label, ...places, pager.element);
  const parts = make("div", "nnw-grid-parts", detail.element, board);
  const element = make("div", "nnw-grid-root", parts);
  let data: GridBlock | undefined;
  const selected = (): number | null => (data ? tileOf(data, choice.unit()) : null);

  function select(tile: number): void {
    if (!data?.column || tile >= countOf(data)) return;
    const unit = unitOf(data, tile);
    choice.choose(unit);
    click(unit);
    panel.redraw();
  }

  function enlarge(wanted?: boolean): boolean {
    const changed = data?.column === true && tiles.enlarge(wanted);
    if (changed) panel.redraw();
    return changed;
  }

  const keys: Record<string, () => boolean | void> = {
    PageUp: () => pager.turn(-1),
    PageDown: () => pager.turn(1),
    "[": () => panel.command("step_sample", { by: -1 }),
    "]": () => panel.command("step_sample", { by: 1 }),
    "{": () => panel.command("step_layer", { by: -1 }),
    "}": () => panel.command("step_layer", { by: 1 }),
    Enter: () => enlarge(),
    Escape: () => enlarge(false),
  };

  /** Binds a board to pointer and keys; returns what looks again under a resting pointer. */
  function bindBoard(each: Board): () => void {
    const place = each.element;
    bindKeys(place, panel.listen, ({ key }) => {
      const to = walk(key, selected() ?? 0, data ? countOf(data) : 0, each.columns());
      if (to !== null) select(to);
      return to !== null || (key in keys && keys[key]?.() !== false);
    });
    panel.listen(place, "click", ({ clientX, clientY }) => {
      const box = place.getBoundingClientRect();
      const found = each.hit(clientX - box.x, clientY - box.y);
      if (found) select(found.tile);
    });
    panel.listen(place, "dblclick", () => enlarge());
    return bindHover(panel, place, (x, y) => (place.hidden ? null : each.hit(x, y)));
  }

  const hovers = Object.values(boards).map(bindBoard);
  hovers.push(bindHover(panel, detail.unit, detail.hit));

  return {
    element,
    // It stands over the tiles, beside the detail column.
    ownTitle: true,
    update(next, header) {
      data = next;
      choice.settle(data.selected ?? null);
      // Else the page that was turned to for a unit would come back with this unit.
      const others = turnedFor !== undefined && turnedFor !== choice.unit();
      if (data.page && others && !choice.pending()) tellPage(data.page.index);
      parts.classList.toggle("nnw-grid-plain", !data.column);
      parts.classList.toggle("nnw-grid-tall", data.column && data.layout === "maps");
      parts.classList.toggle("nnw-grid-lines", data.column && data.layout !== "maps");
      setHidden(detail.element, !data.column);
      for (const [name, { element: place }] of Object.entries(boards)) {
        setHidden(place, name !== data.layout);
        place.setAttribute("aria-label", data.title || header.title);
        // Tiles that are only looked at are no stop for the Tab key.
        if (data.column) place.tabIndex = 0;
        else place.removeAttribute("tabindex");
      }
      pager.update(data.page);
      boards[data.layout].update(data);
    },
    draw(_, theme) {
      if (!data) return;
      const tile = selected();
      if (data.column) detail.draw(data, enlargedOf(data, tile, choice.pending()), theme);
      boards[data.layout].draw(board.clientWidth, theme, tile);
      setText(title, data.title);
      setText(note, data.note);
      setText(hint, [data.layout === "maps" ? tiles.note() : "", data.hint].filter(Boolean).join(" · "));
      setHidden(label, !label.textContent);
      for (const refresh of hovers) refresh();
    },
  };
};

/** Pages of a layer with more units than one page shows; `go` is told the index of the page to turn to. */
function makePager(panel: Panel, go: (index: number) => void) {
  const words = make("span");
  let page: GridBlock["page"];
  const leads = (by: number): boolean => {
    const to = (page?.index ?? 0) + by;
    return page !== undefined && to >= 0 && to < page.count;
  };
  const turn = (by: number): void => {
    if (page && leads(by)) go(page.index + by);
  };
  const button = (text: string, name: string, by: number): HTMLButtonElement => {
    const made = make("button", "nnw-button", text);
    made.ariaLabel = name;
    panel.listen(made, "click", () => turn(by));
    return made;
  };
  const [back, on] = [button("‹", "Previous page", -1), button("›", "Next page", 1)];
  const element = make("div", "nnw-grid-pager", back, words, on);
  return {
    element,
    turn,
    update(next: GridBlock["page"]): void {
      page = next;
      setHidden(element, !next);
      setText(words, next?.text ?? "");
      back.disabled = !leads(-1);
      on.disabled = !leads(1);
    },
  };
}
