/** Blocks that share one place: a tab for each, of which one is seen. Those behind keep their size, so nothing moves. */

import type { BlockData } from "../blocks/block.ts";
import { make, setText } from "./dom.ts";
import { bindKeys, walk } from "./keys.ts";
import type { Panel } from "./panel.ts";

export function makeTabbed(panel: Pick<Panel, "listen">) {
  const list = make("div", "nnw-block-tabs");
  const place = make("div", "nnw-tabbed-place");
  let tabs: { key: string; button: HTMLButtonElement; section: HTMLElement }[] = [];
  let chosen = "";
  list.role = "tablist";
  list.ariaLabel = "Samples";

  function choose(key: string): void {
    chosen = key;
    for (const { key: own, button, section } of tabs) {
      const on = own === chosen;
      button.ariaSelected = String(on);
      button.tabIndex = on ? 0 : -1;
      section.classList.toggle("nnw-behind", !on);
    }
  }

  bindKeys(list, panel.listen, ({ key, target }) => {
    const at = tabs.findIndex(({ button }) => button === target);
    const to = at < 0 || /ArrowUp|ArrowDown/.test(key) ? null : walk(key, at, tabs.length, 1);
    const next = to === null ? undefined : tabs[to];
    if (!next) return false;
    choose(next.key);
    next.button.focus();
    return true;
  });

  return {
    element: make("div", "nnw-tabbed", list, place),
    /** Takes these blocks in, each with its section. */
    arrange(blocks: readonly { data: BlockData; section: HTMLElement }[]): void {
      tabs = blocks.map(({ data: { key, tab = "" }, section }) => {
        const button = make("button", "nnw-block-tab", tab);
        [button.role, button.dataset["key"]] = ["tab", key];
        button.addEventListener("click", () => choose(key));
        section.role = "tabpanel";
        return { key, button, section };
      });
      list.replaceChildren(...tabs.map(({ button }) => button));
      place.replaceChildren(...tabs.map(({ section }) => section));
      choose(tabs.some(({ key }) => key === chosen) ? chosen : (tabs[0]?.key ?? ""));
    },
    /** A tab that says something else comes to the front: what the user has just changed is seen. */
    update(blocks: readonly BlockData[]): void {
      for (const { key, button, section } of tabs) {
        const words = blocks.find((block) => block.key === key)?.tab ?? "";
        if (button.textContent !== words) choose(key);
        setText(button, words);
        section.ariaLabel = words;
      }
    },
  };
}
