/** A small button that is pressed or not, and remains so: how a block is drawn, which Python need not know. */

import { make } from "../kernel/dom.ts";
import type { Panel } from "../kernel/panel.ts";

export function makeSwitch(panel: Panel, text: string, title: string): HTMLButtonElement {
  const button = make("button", "nnw-switch", text);
  button.title = title;
  button.ariaPressed = "false";
  panel.listen(button, "click", () => {
    button.ariaPressed = String(!isOn(button));
    panel.redraw();
  });
  return button;
}

export const isOn = (button: HTMLButtonElement): boolean => button.ariaPressed === "true";
