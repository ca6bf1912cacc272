/** The one line that says what a view is doing, what went wrong, and what can be done about it. */

import { icon, make, setHidden, setText, showText } from "./dom.ts";
import type { StateHeader, StateKind } from "./header.ts";
import { plainDigits } from "./format.ts";

const ARC = "M8 2 A6 6 0 1 1 2.8 5";
const CIRCLE = "M8 2 A6 6 0 1 1 7.99 2";
const OCTAGON = "M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z";
const CROSS = "M5.3 5.3 L10.7 10.7 M10.7 5.3 L5.3 10.7";
const PLAY = "M4.5 2.5v11l8-5.5z";

function failure(): SVGSVGElement {
  const svg = icon([OCTAGON], { filled: true });
  const cross = icon([CROSS]).firstElementChild as SVGPathElement;
  cross.setAttribute("class", "nnw-cross");
  svg.append(cross);
  return svg;
}

const late = (): SVGSVGElement => icon([CIRCLE, "M8 4.5 V8 L10.5 9.5"]);
const empty = (): SVGSVGElement => icon(["M2.5 2.5h11v11h-11z"], { dash: "3 2" });
const MARKS: Record<StateKind, () => SVGSVGElement> = {
  live: empty,
  empty,
  waiting: () => icon([CIRCLE], { dash: "2.2 2.2" }),
  computing: () => icon([ARC]),
  failed: failure,
  refused: failure,
  stale: late,
  changed: late,
  paused: () => icon(["M4 2.5h2.6v11H4z M9.4 2.5H12v11H9.4z"], { filled: true }),
  approximate: () => icon(["M2 6.5q3-3 6 0t6 0 M2 11q3-3 6 0t6 0"]),
};

const ACTIONS: Record<string, string> = {
  cancel: "Cancel",
  retry: "Try again",
  resume: "Resume",
  refresh: "Refresh",
  copy: "Copy error",
};

/** A progress bar before this time would only flicker. */
const PROGRESS_AFTER_MS = 300;

/** `act` is told the action's name; "copy" is done here. */
export function makeStateLine(act: (name: string) => void) {
  const words = make("span", "nnw-state-text");
  const marks = make("span", "nnw-state-mark");
  const buttons = make("span", "nnw-actions");
  const row = make("div", "nnw-state-row", marks, words, buttons);
  const bar = make("div", "nnw-progress", make("div"));
  const detail = make("div", "nnw-state-detail nnw-small");
  const error = make("pre", "nnw-error");
  const element = make("div", "nnw-state", row, bar, detail, error);
  bar.role = "progressbar";
  words.role = "status";
  error.role = "alert";
  element.hidden = true;

  let shownKind: StateKind | "" = "";
  let shownActions = "";
  let since = 0;

  function rebuildActions(names: readonly string[]): void {
    buttons.replaceChildren(
      ...names.map((name) => {
        const button = make("button", "nnw-button", ...(name === "resume" ? [icon([PLAY], { filled: true })] : []));
        button.append(ACTIONS[name] ?? name);
        button.addEventListener("click", () => {
          if (name === "copy") void navigator.clipboard?.writeText(plainDigits(error.textContent ?? ""));
          else act(name);
        });
        return button;
      }),
    );
  }

  return {
    element,
    /** Null or a live state shows nothing. Returns whether the line stands in place of the caption. */
    update(state: StateHeader | null): boolean {
      const kind = state?.kind ?? "live";
      const now = performance.now();
      if (kind !== shownKind) {
        since = now;
        shownKind = kind;
        element.dataset.kind = kind;
        marks.replaceChildren(MARKS[kind]());
      }
      const early = kind === "computing" && now - since < PROGRESS_AFTER_MS;
      setHidden(element, !state || kind === "live" || early);
      if (!state || kind === "live") return false;
      setText(words, state.text);
      showText(detail, state.detail ?? "");
      showText(error, state.error ?? "");
      const progress = state.progress ?? null;
      setHidden(bar, progress === null);
      if (progress !== null) {
        (bar.firstElementChild as HTMLElement).style.width = `${100 * progress}%`;
        bar.ariaValueNow = String(Math.round(100 * progress));
      }
      const actions = state.actions ?? [];
      if (actions.join() !== shownActions) {
        shownActions = actions.join();
        rebuildActions(actions);
      }
      return !early && (kind === "computing" || kind === "waiting");
    },
  };
}
