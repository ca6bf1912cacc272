/** A view's earlier results: a slider over them, and ▶, which goes on as fast as the results come. */

import { icon, make, setHidden, setText } from "./dom.ts";
import type { KeptHeader } from "./header.ts";
import type { Panel } from "./panel.ts";

/** A little longer than the move to a result, so that each one is seen: about two a second. */
const PLAY_MS = 450;
/** If Python has not gone where the user did after this time, the slider goes back to where Python is. */
const OPTIMISM_MS = 3000;
const PLAY = "M4 2.5v11l9-5.5z";
const STOP = "M4 3h3v10H4zM9 3h3v10H9z";

export function makeHistory(panel: Pick<Panel, "listen" | "command" | "onDispose">) {
  const button = make("button", "nnw-play");
  const slider = make("input", "nnw-range");
  const text = make("span", "nnw-kept-text");
  const element = make("div", "nnw-kept", button, slider, text);
  let kept: KeptHeader = { index: 0, positions: [], text: "" };
  let playing = false;
  /** Where the user went, until Python is there, too. */
  let wanted: number | null = null;
  let wantedAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  Object.assign(slider, { type: "range", min: "0", ariaLabel: "Earlier results" });
  element.hidden = true;

  const last = (): number => Math.max(kept.positions.length - 1, 0);

  /** Asks for the result of a place; the last place follows the training. */
  function choose(place: number): void {
    panel.command("kept", { position: place < last() ? (kept.positions[place] ?? null) : null });
  }

  function play(on: boolean): void {
    clearTimeout(timer);
    playing = on;
    button.ariaLabel = on ? "Stop" : "Play the earlier results";
    button.replaceChildren(icon([on ? STOP : PLAY], { filled: true }));
  }

  function goOn(): void {
    clearTimeout(timer);
    if (kept.index >= last()) play(false);
    else timer = setTimeout(() => choose(kept.index + 1), PLAY_MS);
  }

  /** Colours the slider up to where it stands. */
  const fill = (): void => slider.style.setProperty("--nnw-share", String(last() > 0 ? slider.valueAsNumber / last() : 1));

  /** Whether Python is not yet where the user went. */
  function ahead(index: number): boolean {
    if (index === wanted || performance.now() - wantedAt > OPTIMISM_MS) wanted = null;
    return wanted !== null;
  }

  panel.listen(slider, "input", () => {
    play(false);
    [wanted, wantedAt] = [slider.valueAsNumber, performance.now()];
    fill();
    choose(wanted);
  });
  panel.listen(slider, "keydown", () => play(false));
  panel.listen(button, "click", () => {
    const start = !playing;
    wanted = null;
    play(start);
    if (start) choose(kept.index < last() ? kept.index + 1 : 0);
  });
  panel.onDispose(() => play(false));
  play(false);

  return {
    element,
    update(next: KeptHeader | null | undefined): void {
      setHidden(element, !next);
      if (!next) return;
      const stepped = next.index !== kept.index;
      const followed = wanted !== null && wanted >= last();
      kept = next;
      slider.max = String(last());
      if (followed) wanted = last();
      // A slider under the user's hand, or keys, must not jump back to what Python last heard.
      const place = ahead(next.index) ? wanted : next.index;
      if (!slider.matches(":active")) slider.value = String(place);
      fill();
      slider.ariaValueText = kept.text;
      setText(text, kept.text);
      if (playing && stepped) goOn();
    },
  };
}
