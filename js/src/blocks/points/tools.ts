/** The tools at the right of the head: what a drag does, the button that shows all again, and the files to save. */

import { make } from "../../kernel/dom.ts";
import type { Panel } from "../../kernel/panel.ts";
import type { SaveKind } from "./save.ts";

const TOOLS = ["pan", "box", "lasso"] as const;
export type Tool = (typeof TOOLS)[number];
const OFFERS: readonly (readonly [SaveKind, string, string])[] = [
  ["png", "Image (PNG)", "The map as it is on the screen, with its legend and caption"],
  ["svg", "Vector (SVG)", "The points in sight as circles that stay sharp at any size"],
  ["csv", "Data (CSV)", "A row for every point that is not hidden: place, classes, loss, whether it is selected, metadata"],
];

export type Tools = ReturnType<typeof makeTools>;

export function makeTools(listen: Panel["listen"], fit: () => void, save: (kind: SaveKind) => void) {
  const buttons = TOOLS.map((tool) => [tool, make("button", "", tool)] as const);
  const group = make("div", "nnw-toggle", ...buttons.map(([, button]) => button));
  const fitButton = make("button", "nnw-button", "Fit");
  const tools = {
    element: make("div", "nnw-points-tools", group, fitButton, makeSaveMenu(listen, save)),
    current: "lasso" as Tool,
    /** Called when another tool is chosen. */
    onChange: (): void => undefined,
    choose(tool: Tool): void {
      tools.current = tool;
      for (const [name, button] of buttons) button.ariaPressed = String(name === tool);
      tools.onChange();
    },
  };
  group.role = "group";
  group.ariaLabel = "What a drag does";
  fitButton.title = "Show all points (F)";
  listen(fitButton, "click", fit);
  for (const [tool, button] of buttons) {
    button.title = `${tool} (${tool[0]?.toUpperCase()})`;
    listen(button, "click", () => tools.choose(tool));
  }
  tools.choose("lasso");
  return tools;
}

/** The button "Save" and what it unfolds. */
function makeSaveMenu(listen: Panel["listen"], save: (kind: SaveKind) => void): HTMLElement {
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
