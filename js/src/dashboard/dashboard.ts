/**
 * The dashboard's own part: status, layers, and a row of tabs over each of the two places where a view can stand. The
 * views are widgets of their own beside this one; here they are put into their places by a class.
 */

import { icon, make, setHidden, showText } from "../kernel/dom.ts";
import type { CommonHeader } from "../kernel/header.ts";
import type { Panel, PanelView } from "../kernel/panel.ts";
import type { Frame } from "../kernel/wire.ts";
import { type LayersHeader, makeLayers } from "./layers.ts";
import { type StatusHeader, makeStatus } from "./status.ts";
import { type Tab, makeTabRow } from "./tabs.ts";

export interface TabsHeader extends CommonHeader {
  tabs: Tab[];
  /** The open view, and the one beside it. */
  tab: string;
  beside: string | null;
  /** Views made so far, in the order of their elements. */
  opened: string[];
  /** What open views raised while they were made. */
  errors: Record<string, string>;
}

const COLUMNS = ["M2 2.5h5v11H2z", "M9 2.5h5v11H9z"];
const CROSS = ["M4 4l8 8M12 4l-8 8"];

export function buildDashboard(panel: Panel): PanelView {
  const status = makeStatus(panel);
  const layers = makeLayers(panel);
  const places = makePlaces(panel);
  const extent = make("div", "nnw-dashboard-extent");
  // Neither the widget nor its element has a box: what they hold are cells of the dashboard's grid.
  panel.widget.classList.add("nnw-dashboard-panel");
  panel.widget.parentElement?.classList.add("nnw-dashboard-frame");
  panel.root.append(extent, status.element, layers.element, ...places.elements);

  return {
    extent,
    part({ channel, header }: Frame<CommonHeader>) {
      if (channel === "status") status.update(header as StatusHeader);
      else if (channel === "layers") layers.update(header as LayersHeader);
      else if (channel === "tabs") places.update(header as TabsHeader);
    },
    draw(all) {
      status.draw();
      places.draw(all);
    },
    tick: status.tick,
  };
}

function makePlaces(panel: Panel) {
  const beside = makeButton("nnw-beside", "Open a second view beside this one", icon(COLUMNS), make("span", "", "Beside"));
  const close = makeButton("nnw-close", "Close this view", icon(CROSS));
  const first = makeTabRow(panel, "Views", (name) => open({ tab: name }), beside);
  const second = makeTabRow(panel, "Views beside", (name) => open({ beside: name }), close);
  const errors = [make("pre", "nnw-error nnw-first"), make("pre", "nnw-error nnw-second")] as const;
  second.element.classList.add("nnw-tab-row-second");
  for (const error of errors) error.role = "alert";
  let header: TabsHeader | null = null;
  /** Views by how lately they were open, the last first: what "Beside" opens. */
  let lately: string[] = [];
  let watched: Element | null = null;
  const arrivals = new MutationObserver(arrange);
  panel.onDispose(() => arrivals.disconnect());
  panel.listen(beside, "click", () => {
    const name = another();
    if (name) open({ beside: name });
  });
  panel.listen(close, "click", () => open({ beside: null }));

  /** What stands beside the open view when the user asks for a second. */
  function another(): string | undefined {
    const { tabs, tab } = header!;
    const working = tabs.filter(({ name, reason }) => !reason && name !== tab).map(({ name }) => name);
    return lately.find((name) => working.includes(name)) ?? working[0];
  }

  /** Shows it here if the view was made before, and tells Python. */
  function open(change: { tab?: string; beside?: string | null }): void {
    const { tab, beside: other } = header!;
    const swapped = (change.tab ?? tab) === (change.beside === undefined ? other : change.beside);
    const next = swapped && other ? { tab: other, beside: tab } : { tab, beside: other, ...change };
    adopt({ ...header!, ...next });
    if (change.tab) panel.command("tab", { tab: change.tab });
    else panel.command("beside", { tab: change.beside });
    panel.redraw();
  }

  function adopt(next: TabsHeader): void {
    header = next;
    const { tabs, tab, beside: other } = next;
    lately = [...new Set([tab, ...(other ? [other] : []), ...lately])];
    first.update(tabs, tab);
    if (other !== null) second.update(tabs, other);
    setHidden(second.element, other === null);
    setHidden(beside, other !== null || another() === undefined);
    [tab, other].forEach((name, k) => showText(errors[k]!, name === null ? "" : (next.errors[name] ?? "")));
    arrange();
  }

  /** Gives each view its place, also those that arrive later. */
  function arrange(): void {
    const body = panel.widget.closest(".nnw-dashboard-body");
    if (!header || !body) return;
    if (watched !== body) {
      watched = body;
      arrivals.disconnect();
      arrivals.observe(body, { childList: true });
    }
    const { opened, tab, beside: other } = header;
    body.classList.toggle("nnw-two", other !== null);
    const views = [...body.children].filter((child) => !child.contains(panel.widget));
    views.forEach((view, k) => {
      view.classList.toggle("nnw-first", opened[k] === tab);
      view.classList.toggle("nnw-second", opened[k] !== undefined && opened[k] === other);
    });
  }

  return {
    elements: [first.element, second.element, ...errors],
    update: adopt,
    draw(all: boolean): void {
      arrange();
      first.draw(all);
      second.draw(all);
    },
  };
}

function makeButton(className: string, label: string, ...children: Node[]): HTMLButtonElement {
  const button = make("button", `nnw-tab-button ${className}`, ...children);
  Object.assign(button, { title: label, ariaLabel: label });
  return button;
}
