/** The button "Save" in the head and what it unfolds. Knows what is offered; makes no file. */

import { make } from "../../kernel/dom.ts";
import type { Panel } from "../../kernel/panel.ts";
import type { SaveKind } from "./save.ts";

const OFFERS: readonly (readonly [SaveKind, string, string])[] = [
  ["png", "Picture, PNG", "The map as it is on the screen, with its legend and caption"],
  ["svg", "Drawing, SVG", "The points in sight as circles that stay sharp at any size"],
  ["csv", "Table, CSV", "A row for every point that is not hidden: place, classes, loss, whether it is selected, metadata"],
];

export function makeSaveMenu(listen: Panel["listen"], save: (kind: SaveKind) => void): HTMLElement {
  const button = make("summary", "nnw-button", "Save");
  const list = make("div", "nnw-points-save-list");
  const menu = make("details", "nnw-points-save", button, list);
  button.title = "Save what is shown";
  for (const [kind, text, title] of OFFERS) {
    const offer = make("button", "nnw-button", text);
    offer.title = title;
    list.append(offer);
    listen(offer, "click", () => {
      menu.open = false;
      button.focus();
      save(kind);
    });
  }
  listen(menu, "keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    button.focus();
    // "⋯" round it stays open.
    event.stopPropagation();
  });
  listen(document, "pointerdown", (event) => {
    if (!event.composedPath().includes(menu)) menu.open = false;
  });
  return menu;
}
