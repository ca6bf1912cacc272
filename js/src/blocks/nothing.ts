/** What stands in place of a drawing that has nothing to show, and why. */

import { icon, make, setHidden, setText } from "../kernel/dom.ts";

/** `drawing` is what goes away meanwhile. */
export function makeNothing(...drawing: HTMLElement[]) {
  const [says, explains] = [make("div"), make("div", "nnw-small")];
  const mark = icon(["M2 2h12v12H2z"], { dash: "2.4 1.6" });
  const element = make("div", "nnw-nothing", mark, make("div", "", says, explains));
  element.hidden = true;
  return {
    element,
    /** With an `empty` block shows the words in place of the drawing, those after a line break smaller. */
    show(empty: boolean, words: string): void {
      const [first = "", ...rest] = words.split("\n");
      setHidden(element, !empty || words === "");
      setText(says, first);
      setText(explains, rest.join(" "));
      for (const part of drawing) setHidden(part, empty);
    },
  };
}
