/** The head of every view: subject, controls, caption, sample, state; for a view standing alone also step and age. */

import { makeBadge } from "./badge.ts";
import type { Connection } from "./connection.ts";
import { makeControls } from "./controls.ts";
import { make, setHidden, setText } from "./dom.ts";
import { formatAge, formatAgo, formatCount } from "./format.ts";
import type { CommonHeader, StateHeader } from "./header.ts";
import type { Panel } from "./panel.ts";
import { makeSamples } from "./samples.ts";
import { makeStateLine } from "./state.ts";

/** From so many on, controls go behind "⋯" where the view is not wide. */
const MANY_OPTIONS = 4;

/**
 * The state to show: a kernel that is gone, a refused command, Python's own, or "stale" when steps stopped coming.
 * `stepAge_s` is the newest step's age.
 */
function effectiveState(header: CommonHeader, stepAge_s: number, { lost, refusal }: Connection): StateHeader | null {
  if (lost) return { kind: "stale", text: "The kernel restarted. Run this cell again." };
  if (refusal) return { kind: "refused", ...refusal, actions: ["copy"] };
  const state = header.state ?? null;
  const { step = null, stale_after_s: limit = null } = header;
  // Without a step nothing was trained yet, so nothing stopped.
  if (step === null || limit === null || stepAge_s <= limit || (state && state.kind !== "live")) return state;
  return {
    kind: "stale",
    text: `No step for ${formatAge(stepAge_s)} · picture of step ${formatCount(step)}`,
    detail: "Training is paused or has ended. Clicks still work on these weights.",
  };
}

function makeCaption(): { element: HTMLElement; update(parts: CommonHeader["caption"]): void } {
  const element = make("div", "nnw-caption nnw-small");
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

/** What stands behind "⋯": the controls where there is no room for them, and for a view alone pause and refresh. */
function makeMenu(panel: Panel) {
  const button = make("button", "nnw-more", "⋯");
  const pause = make("button", "nnw-button", "Pause");
  const refresh = make("button", "nnw-button", "Refresh");
  const element = make("div", "nnw-menu", pause, refresh);
  button.ariaLabel = "Options";
  button.ariaExpanded = "false";
  const open = (wanted: boolean): void => {
    panel.widget.classList.toggle("nnw-open", wanted);
    button.ariaExpanded = String(wanted);
  };
  panel.listen(button, "click", () => open(!panel.widget.classList.contains("nnw-open")));
  let command = "pause";
  panel.listen(pause, "click", () => panel.command(command));
  panel.listen(refresh, "click", () => panel.command("refresh"));
  panel.listen(document, "pointerdown", (event) => {
    const inside = event.composedPath().some((node) => node === button || node === element.parentElement);
    if (!inside) open(false);
  });
  panel.listen(panel.widget, "keydown", ({ key }) => key === "Escape" && open(false));
  return {
    button,
    element,
    update(paused: boolean): void {
      command = paused ? "resume" : "pause";
      setText(pause, paused ? "Resume" : "Pause");
    },
  };
}

/** "step 1 240 · 0.4 s ago" for a view that stands alone; the dot is green while steps come. */
function makePill(): { element: HTMLElement; update(header: CommonHeader, age_s: number): void } {
  const element = make("span", "nnw-pill nnw-small");
  return {
    element,
    update({ step = null, training, stale_after_s, standalone }, age_s) {
      setHidden(element, standalone !== true);
      setText(element, step === null ? "" : `step ${formatCount(step)} · ${formatAgo(age_s)}`);
      element.classList.toggle("nnw-alive", training === true && age_s < (stale_after_s ?? Infinity));
    },
  };
}

export function makeHead(panel: Panel) {
  const title = make("span", "nnw-title");
  const subtitle = make("span", "nnw-subtitle nnw-small nnw-cut");
  const controls = makeControls((name, value) => panel.command("option", { name, value }));
  const badge = makeBadge(panel, true);
  const pill = makePill();
  const menu = makeMenu(panel);
  const caption = makeCaption();
  const samples = makeSamples(panel);
  const state = makeStateLine((name) => panel.command(name));
  const right = make("div", "nnw-right", controls.element, menu.element);
  const row = make("div", "nnw-head-row", title, subtitle, right, badge.element, pill.element, menu.button);
  const element = make("div", "nnw-head", row, make("div", "nnw-lines", caption.element, state.element, samples.element));
  let header: CommonHeader | null = null;

  function showTime(shown: CommonHeader): void {
    const { stepSeenAt, headerAt } = panel.connection;
    const since = (then: number): number => (performance.now() - then) / 1000;
    const replaced = state.update(effectiveState(shown, since(stepSeenAt), panel.connection));
    caption.element.classList.toggle("nnw-replaced", replaced);
    pill.update(shown, (shown.age_s ?? 0) + since(headerAt));
    badge.update(shown.training === true);
  }

  return {
    element,
    /** `ownOptions` are drawn in the view and left out here. */
    update(next: CommonHeader, ownOptions: readonly string[] = []): void {
      header = next;
      setText(title, next.title);
      title.classList.toggle("nnw-code", next.title_is_code === true);
      title.title = next.title;
      setText(subtitle, next.subtitle ?? "");
      const options = (next.options ?? []).filter(({ name }) => !ownOptions.includes(name));
      controls.update(options);
      panel.widget.classList.toggle("nnw-many-options", options.length >= MANY_OPTIONS);
      caption.update(next.caption);
      samples.update(next.samples ?? null);
      const standalone = next.standalone === true;
      panel.widget.classList.toggle("nnw-standalone", standalone);
      setHidden(menu.button, !standalone && options.length === 0);
      menu.update(next.state?.kind === "paused");
      showTime(next);
    },
    tick(): void {
      if (header) showTime(header);
    },
  };
}
