/** Pages of a layer with more units than one page shows. */

import { make, setHidden, setText } from "../../kernel/dom.ts";
import type { Panel } from "../../kernel/panel.ts";
import type { GridBlock } from "../types.ts";

/** `go` is told the index of the page to turn to. */
export function makePager(panel: Panel, go: (index: number) => void) {
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
