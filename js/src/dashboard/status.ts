/** The status strip: what training and watching are doing, whether clicks are answered, Pause and Refresh. */

import { makeBadge } from "../kernel/badge.ts";
import { icon, make, setHidden, setText, showText } from "../kernel/dom.ts";
import { formatAgo } from "../kernel/format.ts";
import type { CommonHeader } from "../kernel/header.ts";
import type { Panel } from "../kernel/panel.ts";

interface StatusItem {
  /** "loss" gets the sparkline beside it; "refreshed" counts on in the browser from the header's age. */
  name?: string;
  label: string;
  value: string;
  sub?: string;
}

interface Cost {
  /** Shares of training time. */
  share: number;
  budget: number;
  /** The same in words: "1.8 %", "of 5 %". */
  text: string;
  of: string;
}

export interface StatusHeader extends CommonHeader {
  items: StatusItem[];
  /** Losses over the steps. */
  spark?: (number | null)[];
  cost?: Cost | null;
  paused?: boolean;
  /** What the user should know and no view says. */
  warning?: string | null;
  /** How the model is looked at, where that is not as it is trained. */
  note?: string | null;
}

const SPARK = { width: 72, height: 20 };
const PAUSE = "M4 2.5h2.8v11H4z M9.2 2.5H12v11H9.2z";
const PLAY = "M4.5 2.5v11l8-5.5z";
const TURN = ["M13 8a5 5 0 1 1-1.6-3.7", "M13 1.6v3.6H9.4"];

export function makeStatus(panel: Panel) {
  const badge = makeBadge(panel, false);
  const actions = makeActions(panel);
  const items = make("div", "nnw-items");
  const [warning, note] = [make("div", "nnw-warning"), make("div", "nnw-status-note nnw-small")];
  const spark = makeSpark();
  const cost = makeMeter();
  const row = make("div", "nnw-status-row", items, badge.element, actions.element);
  const element = make("div", "nnw-status", row, warning, note);
  warning.setAttribute("role", "alert");
  warning.hidden = note.hidden = true;
  let header: StatusHeader | null = null;
  let updatedAt = 0;
  let boxes = new Map<string, ReturnType<typeof makeItem>>();

  function shownItems({ items: given, cost: costs, age_s, training, step = null }: StatusHeader): StatusItem[] {
    const passed = (performance.now() - updatedAt) / 1000;
    // Before any training the model's weights count as those of step 0.
    const ended = !training && (step ?? 0) > 0;
    const aged = given.map((item) => {
      if (item.name === "step" && ended) return { ...item, sub: "training ended" };
      return item.name === "refreshed" && typeof age_s === "number" ? { ...item, value: formatAgo(age_s + passed) } : item;
    });
    return costs ? [...aged, { name: "cost", label: "Cost of watching", value: costs.text, sub: costs.of }] : aged;
  }

  function rebuild(shown: readonly StatusItem[]): void {
    boxes = new Map(shown.map((item) => [item.label, makeItem(item)]));
    items.replaceChildren(...[...boxes.values()].map(({ element }) => element));
    items.querySelector("[data-name=loss]")?.after(spark.element);
    items.querySelector("[data-name=cost]")?.after(cost.element);
  }

  function show(): void {
    if (!header) return;
    const shown = shownItems(header);
    if (shown.map(({ label }) => label).join("\n") !== [...boxes.keys()].join("\n")) rebuild(shown);
    for (const item of shown) boxes.get(item.label)?.show(item);
    badge.update(header.training === true);
  }

  return {
    element,
    update(next: StatusHeader): void {
      header = next;
      updatedAt = performance.now();
      spark.show(next.spark ?? []);
      cost.show(next.cost ?? null);
      actions.show(next.training === true, next.paused === true);
      showText(warning, next.warning ?? "");
      showText(note, next.note ?? "");
    },
    /** Each second, for the age. */
    tick: show,
    draw(): void {
      show();
      for (const box of boxes.values()) box.keepWidth();
    },
  };
}

function makeItem({ name, label }: StatusItem) {
  const [value, sub] = [make("span", "nnw-item-value"), make("span", "nnw-item-sub")];
  const element = make("div", "nnw-item", make("div", "nnw-item-label nnw-small", label), make("div", "", value, sub));
  element.dataset.name = name ?? "";
  return {
    element,
    show(item: StatusItem): void {
      setText(value, item.value);
      setText(sub, item.sub ? ` ${item.sub}` : "");
    },
    /** A box only grows: a digit more or less must not push its neighbours to and fro. */
    keepWidth(): void {
      if (element.offsetWidth > 0) element.style.minWidth = `${element.offsetWidth}px`;
    },
  };
}

function makeSpark(): { element: SVGSVGElement; show(values: readonly (number | null)[]): void } {
  const element = icon([""]);
  element.setAttribute("class", "nnw-spark");
  element.setAttribute("viewBox", `0 0 ${SPARK.width} ${SPARK.height}`);
  const show = (values: readonly (number | null)[]): void =>
    element.firstElementChild?.setAttribute("d", sparkPath(values, SPARK.width, SPARK.height));
  return { element, show };
}

function makeMeter(): { element: HTMLElement; show(cost: Cost | null): void } {
  const bar = make("div", "nnw-meter-bar");
  const mark = make("div", "nnw-meter-mark");
  // The figures stand in words beside it.
  const element = make("div", "nnw-meter", make("div", "nnw-meter-track", bar), mark);
  element.setAttribute("aria-hidden", "true");
  return {
    element,
    show(cost) {
      setHidden(element, !cost);
      if (!cost) return;
      const shares = meter(cost.share, cost.budget);
      bar.style.width = `${100 * shares.bar}%`;
      mark.style.left = `calc(${100 * shares.mark}% - 1px)`;
    },
  };
}

function makeActions(panel: Panel): { element: HTMLElement; show(training: boolean, paused: boolean): void } {
  const pause = make("button", "nnw-button");
  const refresh = make("button", "nnw-button nnw-refresh", icon(TURN), make("span", "", "Refresh"));
  refresh.setAttribute("aria-label", "Refresh");
  let shown: boolean | null = null;
  const show = (training: boolean, paused: boolean): void => {
    setHidden(pause, !training && !paused);
    if (paused === shown) return;
    shown = paused;
    const name = make("span", "", paused ? "Resume" : "Pause");
    pause.replaceChildren(icon([paused ? PLAY : PAUSE], { filled: true }), name);
    pause.title = paused ? "" : "Pauses the views, never the training";
  };
  panel.listen(pause, "click", () => panel.command(shown ? "resume" : "pause"));
  panel.listen(refresh, "click", () => panel.command("refresh"));
  show(false, false);
  return { element: make("div", "nnw-status-actions", pause, refresh), show };
}

/**
 * An SVG path through `values`, equally spaced over `width`, largest at the top. The scale is logarithmic; values that
 * have no logarithm (zero, negative) sit on the floor and non-finite ones leave a gap, as a break is what they are.
 */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const positive = values.filter((v): v is number => v !== null && Number.isFinite(v) && v > 0).map(Math.log);
  if (positive.length === 0 || values.length < 2) return "";
  const low = Math.min(...positive);
  const span = Math.max(...positive) - low;
  let path = "";
  let pen = "M";
  values.forEach((value, index) => {
    if (value === null || !Number.isFinite(value)) {
      pen = "M";
      return;
    }
    const level = value > 0 ? Math.log(value) - low : 0;
    const x = 0.5 + (index * (width - 1)) / (values.length - 1);
    const y = span > 0 ? 1 + (1 - level / span) * (height - 2) : height / 2;
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  });
  return path;
}

/** Where the bar of the cost meter ends and where its budget mark stands, both as shares of the meter's width. */
export function meter(share: number, budget: number): { bar: number; mark: number } {
  const full = Math.max(budget, share, 1e-9);
  return { bar: Math.max(0, share) / full, mark: budget / full };
}
