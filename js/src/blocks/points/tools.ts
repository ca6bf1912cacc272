/** The tools at the right of the head: what a drag does, and the button that shows all again. */

import { make } from "../../kernel/dom.ts";
import type { Panel } from "../../kernel/panel.ts";

const TOOLS = ["pan", "box", "lasso"] as const;
export type Tool = (typeof TOOLS)[number];

export class Tools {
  readonly element: HTMLElement;
  current: Tool = "lasso";
  readonly #buttons: Map<Tool, HTMLButtonElement>;
  readonly #changed: () => void;

  constructor(listen: Panel["listen"], fit: () => void, changed: () => void) {
    this.#changed = changed;
    this.#buttons = new Map(TOOLS.map((tool) => [tool, make("button", "", tool)]));
    const group = make("div", "nnw-toggle", ...this.#buttons.values());
    group.role = "group";
    group.ariaLabel = "What a drag does";
    const fitButton = make("button", "nnw-button", "Fit");
    fitButton.title = "Show all points (F)";
    for (const [tool, button] of this.#buttons) {
      button.title = `${tool} (${tool[0]?.toUpperCase()})`;
      listen(button, "click", () => this.choose(tool));
    }
    listen(fitButton, "click", fit);
    this.element = make("div", "nnw-points-tools", group, fitButton);
    this.choose("lasso");
  }

  choose(tool: Tool): void {
    this.current = tool;
    for (const [name, button] of this.#buttons) button.ariaPressed = String(name === tool);
    this.#changed();
  }
}
