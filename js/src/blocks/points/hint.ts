/** Words over the map that go away by themselves: how to zoom, for those who turn the wheel without Ctrl or ⌘. */

import { make } from "../../kernel/dom.ts";
import type { Panel } from "../../kernel/panel.ts";

/** How long the words stay after the last turn. */
const SHOWN_MS = 1200;

/** The key of this machine's zoom, by the name that the browser gives the machine. */
export const zoomHint = (platform: string): string => `${/^(mac|iphone|ipad)/i.test(platform) ? "⌘" : "Ctrl"} + scroll to zoom`;

export function makeHint(onDispose: Panel["onDispose"]) {
  const element = make("div", "nnw-points-hint", zoomHint(navigator.platform));
  let timer: ReturnType<typeof setTimeout> | undefined;
  // There are keys for what it says, and these have their words in the map's label.
  element.ariaHidden = "true";

  function hide(): void {
    clearTimeout(timer);
    element.classList.remove("nnw-points-hint-shown");
  }

  onDispose(hide);
  return {
    element,
    hide,
    show(): void {
      clearTimeout(timer);
      element.classList.add("nnw-points-hint-shown");
      timer = setTimeout(hide, SHOWN_MS);
    },
  };
}
