/** Pages of a layer with more units than one page shows. */

import { make, setHidden, setText } from "../kernel/dom.ts";
import type { Panel } from "../kernel/panel.ts";
import type { GridHeader } from "./header.ts";

export interface Pager {
  element: HTMLElement;
  update(page: GridHeader["page"]): void;
  turn(by: number): void;
}

export function makePager(panel: Panel): Pager {
  const words = make("span");
  let page: GridHeader["page"] = null;
  const leads = (by: number): boolean => {
    const to = (page?.index ?? 0) + by;
    return page !== null && to >= 0 && to < page.count;
  };
  const turn = (by: number): void => {
    if (page && leads(by)) panel.command("page", { page: page.index + by });
  };
  const button = (text: string, name: string, by: number): HTMLButtonElement => {
    const made = make("button", "nnw-button", text);
    made.type = "button";
    made.setAttribute("aria-label", name);
    panel.listen(made, "click", () => turn(by));
    return made;
  };
  const [back, on] = [button("‹", "Previous page", -1), button("›", "Next page", 1)];
  const element = make("div", "nnw-pager", back, words, on);
  return {
    element,
    turn,
    update(next) {
      page = next;
      setHidden(element, !next || next.count < 2);
      setText(words, next?.text ?? "");
      back.disabled = !leads(-1);
      on.disabled = !leads(1);
    },
  };
}
