/** The head of every view: subject, controls, caption, state; for a view standing alone also step and age. */

import { makeBadge } from "./badge.ts";
import { makeControls } from "./controls.ts";
import { make, setHidden, setText } from "./dom.ts";
import { formatAge, formatAgo, formatCount } from "./format.ts";
import type { CommonHeader, StateHeader } from "./header.ts";
import type { Panel } from "./panel.ts";
import { makeStateLine } from "./state.ts";

export interface Head {
  element: HTMLElement;
  update(header: CommonHeader): void;
  tick(): void;
}

/**
 * The state to show: a refused command, Python's own, or "stale" when steps stopped coming. `stepAge_s` is the newest
 * step's age.
 */
export function effectiveState(header: CommonHeader, stepAge_s: number, refusal = ""): StateHeader | null {
  if (refusal) return { kind: "refused", text: "That did not work.", error: refusal, actions: ["copy"] };
  const state = header.state ?? null;
  const limit = header.stale_after_s ?? null;
  if (limit === null || stepAge_s <= limit || (state && state.kind !== "live")) return state;
  const step = header.step ?? null;
  const picture = step === null ? "" : ` · picture of step ${formatCount(step)}`;
  return {
    kind: "stale",
    text: `No step for ${formatAge(stepAge_s)}${picture}`,
    detail: "Training is paused or has ended. Clicks still work on these weights.",
  };
}

function makeCaption(): { element: HTMLElement; update(parts: CommonHeader["caption"]): void } {
  const element = make("div", "nnw-caption");
  let shown = "";
  return {
    element,
    update(parts = []) {
      const text = JSON.stringify(parts);
      if (text === shown) return;
      shown = text;
      element.replaceChildren();
      parts.forEach(([words, odd], i) => {
        if (i > 0) element.append(" · ");
        element.append(odd ? make("strong", "", words) : words);
      });
    },
  };
}

function makeMenu(panel: Panel): { button: HTMLButtonElement; element: HTMLElement; pause: HTMLButtonElement } {
  const button = make("button", "nnw-more", "⋯");
  const pause = make("button", "nnw-button", "Pause");
  const refresh = make("button", "nnw-button", "Refresh");
  const element = make("div", "nnw-menu", pause, refresh);
  for (const each of [button, pause, refresh]) each.type = "button";
  button.setAttribute("aria-label", "Options");
  button.setAttribute("aria-expanded", "false");
  const open = (wanted: boolean): void => {
    panel.widget.classList.toggle("nnw-open", wanted);
    button.setAttribute("aria-expanded", String(wanted));
  };
  panel.listen(button, "click", () => open(!panel.widget.classList.contains("nnw-open")));
  panel.listen(pause, "click", () => panel.command(pause.dataset.command ?? "pause"));
  panel.listen(refresh, "click", () => panel.command("refresh"));
  panel.listen(document, "pointerdown", (event) => {
    if (!head(panel).contains(event.target as Node)) open(false);
  });
  panel.listen(panel.widget, "keydown", (event) => {
    if ((event as KeyboardEvent).key === "Escape") open(false);
  });
  return { button, element, pause };
}

const head = (panel: Panel): Element => panel.widget.querySelector(".nnw-head") ?? panel.widget;

/** Age of what is shown and of the newest step, in seconds, by the browser's clock. */
function ages(panel: Panel, header: CommonHeader): { shown: number; step: number } {
  const now = performance.now();
  return {
    shown: (header.age_s ?? 0) + (now - panel.connection.headerAt) / 1000,
    step: (now - panel.connection.stepSeenAt) / 1000,
  };
}

/** `ownOptions` are drawn by the view and left out here. */
export function makeHead(panel: Panel, ownOptions: readonly string[] = []): Head {
  const title = make("span", "nnw-title");
  const subtitle = make("span", "nnw-subtitle");
  const controls = makeControls((name, value) => panel.command("option", { name, value }));
  const badge = makeBadge(true);
  const pill = make("span", "nnw-pill");
  const menu = makeMenu(panel);
  const caption = makeCaption();
  const state = makeStateLine((name) => panel.command(name));
  const right = make("div", "nnw-right", controls.element, menu.element);
  const row = make("div", "nnw-head-row", title, subtitle, right, badge.element, pill, menu.button);
  const element = make("div", "nnw-head", row, make("div", "nnw-lines", caption.element, state.element));
  let header: CommonHeader | null = null;

  function showTime(shown: CommonHeader): void {
    const age = ages(panel, shown);
    const replaced = state.update(effectiveState(shown, age.step, panel.connection.refusal));
    caption.element.classList.toggle("nnw-replaced", replaced);
    const step = shown.step ?? null;
    setText(pill, step === null ? "" : `step ${formatCount(step)} · ${formatAgo(age.shown)}`);
    pill.classList.toggle("nnw-alive", shown.training === true && age.shown < (shown.stale_after_s ?? Infinity));
    const { answers, waiting } = panel.connection;
    badge.update(answers, waiting, shown.training === true);
    panel.widget.classList.toggle("nnw-view-only", answers === "view_only");
  }

  return {
    element,
    update(next) {
      header = next;
      setText(title, next.title);
      title.classList.toggle("nnw-code", next.title_is_code === true);
      title.title = next.title;
      setText(subtitle, next.subtitle ?? "");
      const options = (next.options ?? []).filter(({ name }) => !ownOptions.includes(name));
      controls.update(options);
      caption.update(next.caption);
      const standalone = next.standalone === true;
      panel.widget.classList.toggle("nnw-standalone", standalone);
      setHidden(pill, !standalone);
      setHidden(menu.button, !standalone && options.length === 0);
      const paused = next.state?.kind === "paused";
      menu.pause.dataset.command = paused ? "resume" : "pause";
      setText(menu.pause, paused ? "Resume" : "Pause");
      showTime(next);
    },
    tick() {
      if (header) showTime(header);
    },
  };
}
