/** What stands in place of a drawing that has nothing to show, and why. */

import { icon, make, setHidden, setText } from "../kernel/dom.ts";

export interface Nothing {
  element: HTMLElement;
  /** Shows the words, or goes away with none; what follows a line break explains the first line. */
  show(words: string): void;
}

export function makeNothing(): Nothing {
  const [says, explains] = [make("div"), make("div", "nnw-nothing-more")];
  const element = make("div", "nnw-nothing", icon(["M2 2h12v12H2z"], { dash: "2.4 1.6" }), make("div", "", says, explains));
  element.hidden = true;
  return {
    element,
    show(words) {
      const [first = "", ...rest] = words.split("\n");
      setHidden(element, words === "");
      setText(says, first);
      setText(explains, rest.join(" "));
    },
  };
}
