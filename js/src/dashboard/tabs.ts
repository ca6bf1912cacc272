/** The tabs over the view. */

import { make } from "../kernel/dom.ts";
import type { CommonHeader } from "../kernel/header.ts";
import { bindKeys, walk } from "../kernel/keys.ts";
import type { Panel, PanelView } from "../kernel/panel.ts";

export interface TabsHeader extends CommonHeader {
  tabs: { name: string; label: string }[];
  selected: string;
}

export function buildTabs(panel: Panel): PanelView<TabsHeader> {
  const list = make("div", "nnw-tabs");
  list.setAttribute("role", "tablist");
  panel.widget.classList.add("nnw-tab-strip");
  panel.root.append(list);
  let tabs: TabsHeader["tabs"] = [];
  let buttons: HTMLButtonElement[] = [];

  function mark(selected: string): void {
    buttons.forEach((button, k) => {
      const chosen = tabs[k]?.name === selected;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    });
    // Views that are named by their layer share their head with the layer's dropdown where the dashboard is narrow.
    const dashboard = panel.widget.closest<HTMLElement>(".nnw-dashboard");
    if (dashboard) dashboard.dataset.tab = selected;
  }

  function choose(k: number): void {
    const tab = tabs[k];
    if (!tab || buttons[k]?.ariaSelected === "true") return;
    mark(tab.name);
    buttons[k]?.focus();
    panel.command("tab", { tab: tab.name });
  }

  bindKeys(list, panel.listen, (event) => {
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const to = event.key === "ArrowUp" || event.key === "ArrowDown" ? null : walk(event.key, at, tabs.length, 1);
    if (to !== null) choose(to);
    return to !== null;
  });

  function update(header: TabsHeader): void {
    if (JSON.stringify(header.tabs) !== JSON.stringify(tabs)) {
      tabs = header.tabs;
      buttons = tabs.map(({ label }, k) => {
        const button = make("button", "nnw-tab", label);
        button.type = "button";
        // The text in bold takes its room from the start, so that choosing a tab moves none.
        button.dataset.label = label;
        button.setAttribute("role", "tab");
        button.addEventListener("click", () => choose(k));
        return button;
      });
      list.replaceChildren(...buttons);
    }
    mark(header.selected);
  }

  return { frame: ({ header }) => update(header), draw: () => undefined };
}
