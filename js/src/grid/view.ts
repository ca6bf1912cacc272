/** The grid view that activations and filters share: boards, detail column, selection, hover, keys. */

import { make, setHidden, setText } from "../kernel/dom.ts";
import { bindHover } from "../kernel/hover.ts";
import { bindKeys, walk } from "../kernel/keys.ts";
import type { Panel, PanelView } from "../kernel/panel.ts";
import type { Frame } from "../kernel/wire.ts";
import type { Board } from "./board.ts";
import { makeChoice } from "./choice.ts";
import { detailOf, makeDetail } from "./detail.ts";
import { type Film, makeFilm } from "./film.ts";
import { type GridHeader, completeFrame } from "./header.ts";
import { makePager } from "./pager.ts";
import { makeSequence, makeStrips } from "./rows.ts";
import { Tiles } from "./tiles.ts";

interface Boards extends Record<GridHeader["layout"], Board & { update(frame: Frame<GridHeader>): void }> {
  maps: Tiles;
}

/** Turns keys into what they mean; all of them act on the board that has the focus. */
interface Actions {
  select(tile: number): void;
  enlarge(wanted?: boolean): boolean;
  turn(by: number): void;
  selected(): number;
  count(): number;
}

/** Binds one board to pointer and keys; returns what looks again under a resting pointer. */
function bindBoard(panel: Panel, board: Board, actions: Actions): () => void {
  const { element } = board;
  const send = (name: string, by: number): boolean => (panel.command(name, { by }), true);
  const keys: Record<string, () => boolean | void> = {
    PageUp: () => actions.turn(-1),
    PageDown: () => actions.turn(1),
    "[": () => send("step_sample", -1),
    "]": () => send("step_sample", 1),
    "{": () => send("step_layer", -1),
    "}": () => send("step_layer", 1),
    Enter: () => actions.enlarge(),
    Escape: () => actions.enlarge(false),
  };
  element.tabIndex = 0;
  bindKeys(element, panel.listen, ({ key }) => {
    const to = walk(key, actions.selected(), actions.count(), board.columns());
    if (to !== null) actions.select(to);
    return to !== null || (key in keys && keys[key]?.() !== false);
  });
  panel.listen(element, "click", (event) => {
    const box = element.getBoundingClientRect();
    const found = board.hit((event as MouseEvent).clientX - box.x, (event as MouseEvent).clientY - box.y);
    if (found) actions.select(found.tile);
  });
  panel.listen(element, "dblclick", () => actions.enlarge());
  return bindHover(panel, element, (x, y) => board.hit(x, y));
}

/** `noun` is what a tile is called: "unit". */
export function makeGrid(panel: Panel, noun: string): PanelView<GridHeader> {
  const boards: Boards = { maps: new Tiles("grid", noun), strips: makeStrips(), sequence: makeSequence() };
  const detail = makeDetail();
  const film: Film = makeFilm();
  const pager = makePager(panel);
  const choice = makeChoice(() => panel.redraw());
  panel.onDispose(choice.forget);
  const [title, hint] = [make("span"), make("span")];
  const places = Object.values(boards).map((board) => board.element);
  const label = make("div", "nnw-label", title, hint);
  const board = make("div", "nnw-board", label, ...places, pager.element, film.element);
  panel.root.classList.add("nnw-grid");
  panel.root.append(detail.element, board);
  let frame: Frame<GridHeader> | undefined;

  const actions: Actions = {
    select(tile) {
      const unit = frame?.header.tiles.units[tile];
      if (unit === undefined || !(frame?.arrays.maps ?? frame?.arrays.rows)) return;
      choice.choose(unit);
      panel.command("select", { unit });
      panel.redraw();
    },
    enlarge(wanted) {
      panel.redraw();
      return boards.maps.enlarge(wanted);
    },
    turn: (by) => pager.turn(by),
    selected: () => (frame ? (choice.tile(frame.header) ?? 0) : 0),
    count: () => frame?.header.tiles.units.length ?? 0,
  };
  const hovers = Object.values(boards).map((each) => bindBoard(panel, each, actions));
  hovers.push(bindHover(panel, film.tiles, film.hit), bindHover(panel, detail.unit, detail.hit));

  return {
    frame(next) {
      frame = completeFrame(next);
      choice.settle(frame);
      const { header } = frame;
      panel.root.dataset.layout = header.layout;
      for (const [name, each] of Object.entries(boards)) {
        setHidden(each.element, name !== header.layout);
        each.element.setAttribute("aria-label", header.grid_title || header.title);
      }
      setText(title, header.grid_title);
      pager.update(header.page);
      boards[header.layout].update(frame);
      film.update(frame);
    },
    draw() {
      if (!frame) return;
      const [theme, width, tile] = [panel.theme(), board.clientWidth, choice.tile(frame.header)];
      detail.draw(detailOf(frame, tile, choice.pending(), noun), theme);
      boards[frame.header.layout].draw(width, theme, tile);
      const note = frame.header.layout === "maps" ? boards.maps.note() : "";
      setText(hint, [note, frame.header.hint].filter(Boolean).join(" · "));
      setHidden(label, !title.textContent && !hint.textContent);
      film.draw(width, theme);
      for (const refresh of hovers) refresh();
    },
  };
}
