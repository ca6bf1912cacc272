/** A small button that is on or off, and remains so: how a block is drawn, which Python need not know. */

import { make } from "../kernel/dom.ts";
import type { Panel } from "../kernel/panel.ts";

export interface Switch {
  element: HTMLButtonElement;
  on(): boolean;
  set(on: boolean): void;
}

export function makeSwitch(panel: Panel, text: string, title: string): Switch {
  const element = make("button", "nnw-switch", text);
  element.title = title;
  let state = false;
  const set = (on: boolean): void => {
    state = on;
    element.ariaPressed = String(on);
  };
  set(false);
  panel.listen(element, "click", () => {
    set(!state);
    panel.redraw();
  });
  return { element, on: () => state, set };
}
