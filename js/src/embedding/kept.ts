/** The maps kept so far: a slider over them, ▶, which goes on as fast as the maps come, and the switch of the trails. */

import { icon, make, setHidden, setText } from "../kernel/dom.ts";
import type { Panel } from "../kernel/panel.ts";
import type { EmbeddingHeader } from "./cloud.ts";

/** A little longer than the move to a map, so that each one is seen: about two a second. */
const PLAY_MS = 450;

export class KeptMaps {
  readonly element: HTMLElement;
  readonly #button = make("button", "nnw-play");
  readonly #slider = make("input", "nnw-range");
  readonly #text = make("span", "nnw-kept-text");
  readonly #trails = make("button", "nnw-trails", "Trails");
  #index = 0;
  #positions: readonly number[] = [];
  #playing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #ask: (position: number | null) => void;

  constructor(listen: Panel["listen"], ask: (position: number | null) => void, trails: (on: boolean) => void) {
    this.#ask = ask;
    this.#slider.type = "range";
    this.#slider.min = "0";
    this.#slider.ariaLabel = "Kept map";
    this.element = make("div", "nnw-kept", this.#button, this.#slider, this.#text, this.#trails);
    this.#play(false);
    listen(this.#slider, "input", () => {
      this.#play(false);
      this.#choose(Number(this.#slider.value));
    });
    this.trails = false;
    this.#trails.type = "button";
    this.#trails.title = "Draw the ways of the selected points over the kept maps";
    listen(this.#trails, "click", () => trails(this.#trails.getAttribute("aria-pressed") !== "true"));
    listen(this.#slider, "keydown", () => this.#play(false));
    listen(this.#button, "click", () => {
      const start = !this.#playing;
      this.#play(start);
      if (start) this.#choose(this.#index < this.#last ? this.#index + 1 : 0);
    });
  }

  set trails(on: boolean) {
    this.#trails.ariaPressed = String(on);
  }

  update(kept: EmbeddingHeader["kept"]): void {
    setHidden(this.element, kept === null || kept === undefined);
    if (!kept) return;
    const stepped = kept.index !== this.#index;
    this.#index = kept.index;
    this.#positions = kept.positions;
    this.#slider.max = String(this.#last);
    if (document.activeElement !== this.#slider || !this.#slider.matches(":active"))
      this.#slider.value = String(kept.index);
    this.#slider.style.setProperty("--nnw-share", String(this.#last > 0 ? kept.index / this.#last : 1));
    this.#slider.ariaValueText = kept.text;
    setText(this.#text, kept.text);
    if (this.#playing && stepped) this.#goOn();
  }

  stop(): void {
    this.#play(false);
  }

  get #last(): number {
    return Math.max(this.#positions.length - 1, 0);
  }

  /** Asks for the map of a place; the last place follows the training. */
  #choose(place: number): void {
    this.#ask(place < this.#last ? (this.#positions[place] ?? null) : null);
  }

  #goOn(): void {
    if (this.#index >= this.#last) {
      this.#play(false);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#choose(this.#index + 1), PLAY_MS);
  }

  #play(on: boolean): void {
    clearTimeout(this.#timer);
    this.#playing = on;
    this.#button.ariaLabel = on ? "Stop" : "Play the kept maps";
    this.#button.replaceChildren(icon([on ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4 2.5v11l9-5.5z"], { filled: true }));
  }
}
