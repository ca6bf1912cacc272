/**
 * A row of tabs: all of them where they fit, else the groups and the tabs of one, else a menu. One row of this kind
 * stands over each open view.
 */

import { make } from "../kernel/dom.ts";
import { bindKeys, walk } from "../kernel/keys.ts";
import type { Panel } from "../kernel/panel.ts";

export interface Tab {
  name: string;
  title: string;
  group: string;
  /** Why the view can't be shown here; empty where it can. */
  reason: string;
}

type Mode = "all" | "groups" | "menu";

/** `choose` is told the name of another tab; `end` stands at the end of the row. */
export function makeTabRow(panel: Panel, label: string, choose: (name: string) => void, end: HTMLElement) {
  const groups = make("div", "nnw-groups");
  const list = make("div", "nnw-tabs");
  const menu = make("select", "nnw-select");
  const box = make("div", "nnw-tab-room", groups, list);
  const pick = make("label", "nnw-control nnw-tab-menu", menu);
  const element = make("div", "nnw-tab-row", box, pick, end);
  groups.role = "group";
  groups.ariaLabel = "Groups of views";
  list.role = "tablist";
  list.ariaLabel = menu.ariaLabel = label;
  let tabs: readonly Tab[] = [];
  let buttons: HTMLButtonElement[] = [];
  let groupButtons: HTMLButtonElement[] = [];
  let chosen = "";
  /** The group whose tabs are on show where not all are. */
  let open = "";
  let offered = "";
  let measuredAt = -1;

  function act(k: number): void {
    const tab = tabs[k];
    if (!tab || tab.reason || tab.name === chosen) return;
    mark(tab.name);
    choose(tab.name);
  }

  function mark(name: string): void {
    if (name !== chosen) open = tabs.find((tab) => tab.name === name)?.group ?? open;
    chosen = name;
    menu.value = name;
    show();
  }

  function show(): void {
    const stop = buttons.find((_, k) => tabs[k]!.name === chosen && tabs[k]!.group === open) ?? firstOf(open);
    buttons.forEach((button, k) => {
      button.ariaSelected = String(tabs[k]!.name === chosen);
      button.tabIndex = button === stop ? 0 : -1;
      button.classList.toggle("nnw-elsewhere", tabs[k]!.group !== open);
    });
    const home = tabs.find(({ name }) => name === chosen)?.group;
    for (const button of groupButtons) {
      button.ariaPressed = String(button.value === open);
      button.classList.toggle("nnw-holds-chosen", button.value === home);
    }
  }

  const firstOf = (group: string): HTMLButtonElement | undefined => buttons[tabs.findIndex((tab) => tab.group === group)];

  function rebuild(): void {
    buttons = tabs.map((tab, k) => makeTab(tab, tab.group !== (tabs[k - 1] ?? tab).group, () => act(k)));
    const names = [...new Set(tabs.map(({ group }) => group))];
    groupButtons = names.map((name) => {
      const button = make("button", "nnw-group", name);
      button.value = name;
      button.addEventListener("click", () => {
        open = name;
        show();
      });
      return button;
    });
    list.replaceChildren(...buttons);
    groups.replaceChildren(...groupButtons);
    menu.replaceChildren(...names.map((name) => makeOptions(name, tabs)));
    measuredAt = -1;
  }

  /** What the row has room for, whichever group is looked at. */
  function fitting(): Mode {
    element.dataset.mode = "all";
    if (box.scrollWidth <= box.clientWidth) return "all";
    const widths = new Map<string, number>();
    tabs.forEach(({ group }, k) => widths.set(group, (widths.get(group) ?? 0) + buttons[k]!.offsetWidth));
    element.dataset.mode = "groups";
    const taken = list.offsetLeft - box.offsetLeft;
    return taken + Math.max(...widths.values()) <= box.clientWidth ? "groups" : "menu";
  }

  panel.listen(menu, "change", () => act(tabs.findIndex(({ name }) => name === menu.value)));
  bindKeys(element, panel.listen, (event) => {
    const inGroups = groups.contains(event.target as Node);
    const row = (inGroups ? groupButtons : buttons).filter((button) => button.offsetParent !== null || !isLaidOut(list));
    const at = row.indexOf(event.target as HTMLButtonElement);
    const to = at < 0 || /ArrowUp|ArrowDown/.test(event.key) ? null : walk(event.key, at, row.length, 1);
    const next = to === null ? undefined : row[to];
    next?.focus();
    if (next && !inGroups) act(buttons.indexOf(next));
    return next !== undefined;
  });

  return {
    element,
    update(next: readonly Tab[], name: string): void {
      const offer = JSON.stringify(next);
      if (offer !== offered) {
        [tabs, offered] = [next, offer];
        rebuild();
      }
      mark(name);
    },
    /** Finds out what fits into the row; `all`: also where its width is the same, as the font may be another. */
    draw(all: boolean): void {
      if (!all && element.clientWidth === measuredAt) return;
      measuredAt = element.clientWidth;
      element.dataset.mode = fitting();
    },
  };
}

/** Without a layout, as in tests, everything counts as seen. */
const isLaidOut = (element: HTMLElement): boolean => element.clientWidth > 0;

function makeTab(tab: Tab, first: boolean, act: () => void): HTMLButtonElement {
  const button = make("button", "nnw-tab", tab.title);
  button.role = "tab";
  // The text in bold takes its room from the start, so that choosing a tab moves none.
  button.dataset.label = tab.title;
  button.classList.toggle("nnw-tab-apart", first);
  if (tab.reason) {
    button.ariaDisabled = "true";
    button.title = tab.reason;
    button.setAttribute("aria-description", tab.reason);
  }
  button.addEventListener("click", act);
  return button;
}

function makeOptions(group: string, tabs: readonly Tab[]): HTMLOptGroupElement {
  const options = make("optgroup");
  options.label = group;
  for (const tab of tabs.filter((each) => each.group === group)) {
    const option = new Option(tab.title, tab.name);
    option.disabled = tab.reason !== "";
    option.title = tab.reason;
    options.append(option);
  }
  return options;
}
