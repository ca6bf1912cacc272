/** The hover card of a sample: what is known at once, then Python's answer to "card" with the picture and more lines. */

import { type Pixels, type Rect, paintPicture, picturePixels } from "./canvas.ts";
import { make, setHidden, setText } from "./dom.ts";
import { placeBeside } from "./tooltip.ts";
import type { Frame } from "./wire.ts";

/** Name and value; the value is what one looks for. */
export type CardLine = readonly [string, string];

interface Size {
  width: number;
  height: number;
}

/** Where a card of a size goes: the top-left corner in the client's coordinates. */
type PlaceCard = (card: Size) => { x: number; y: number };

interface Answer {
  title: string;
  lines: readonly CardLine[];
  picture: Pixels | null;
}

type Ask = (index: number) => Promise<Frame<Record<string, unknown>>>;

/** A pointer that crosses a cloud of points asks for nothing. */
const ASK_AFTER_MS = 60;
const KEPT_ANSWERS = 256;

/** The reply to "card": its words are read as text whatever they are. */
function readAnswer(reply: Frame<Record<string, unknown>>): Answer {
  const lines = Array.isArray(reply.header["lines"]) ? (reply.header["lines"] as unknown[]) : [];
  const picture = reply.arrays["picture"];
  return {
    title: String(reply.header["title"] ?? ""),
    lines: lines.map((line) => (Array.isArray(line) ? [String(line[0] ?? ""), String(line[1] ?? "")] : ["", String(line)])),
    picture: picture ? picturePixels(picture, 0, false) : null,
  };
}

export class HoverCard {
  readonly #root: HTMLElement;
  readonly #ask: Ask;
  readonly #picture = make("canvas", "nnw-sample-picture");
  readonly #title = make("div", "nnw-sample-title");
  readonly #lines = make("div", "nnw-sample-lines");
  readonly #element = make("div", "nnw-sample-card nnw-float", this.#picture, make("div", "", this.#title, this.#lines));
  readonly #answers = new Map<number, Answer>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #index = -1;
  #step: number | null | undefined;
  /** Puts the card where it belongs at its present size. */
  #move = (): void => undefined;

  constructor(root: HTMLElement, ask: Ask) {
    this.#root = root;
    this.#ask = ask;
    this.#picture.ariaHidden = "true";
    this.#element.role = "status";
    this.#element.hidden = true;
    root.append(this.#element);
  }

  /**
   * Shows the card of a dataset index beside a rectangle in the client's coordinates. `lines` is what the block knows
   * of the sample already; Python's answer replaces it. `place` puts the card elsewhere.
   */
  show(index: number, at: Rect, lines: readonly CardLine[] = [], place?: PlaceCard): void {
    this.#move = () => {
      const [frame, box] = [this.#root.getBoundingClientRect(), this.#element];
      const size = { width: box.offsetWidth, height: box.offsetHeight };
      const spot = place ? place(size) : placeBeside(at, size.width, size.height, frame);
      box.style.left = `${Math.round(spot.x - frame.x - this.#root.clientLeft)}px`;
      box.style.top = `${Math.round(spot.y - frame.y - this.#root.clientTop)}px`;
    };
    if (index !== this.#index) {
      this.#index = index;
      const answer = this.#answers.get(index);
      setHidden(this.#element, false);
      this.#fill(answer ?? { title: `Sample ${index}`, lines, picture: null });
      clearTimeout(this.#timer);
      if (!answer) this.#fetchSoon();
    }
    this.#move();
  }

  hide(): void {
    clearTimeout(this.#timer);
    this.#index = -1;
    setHidden(this.#element, true);
  }

  /** Answers hold for one step; a card in sight keeps its words until the new ones come. */
  adoptStep(step: number | null | undefined): void {
    if (step === this.#step) return;
    this.#step = step;
    this.#answers.clear();
    if (this.#index >= 0) this.#fetchSoon();
  }

  #fetchSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#fetch(this.#index), ASK_AFTER_MS);
  }

  async #fetch(index: number): Promise<void> {
    const step = this.#step;
    try {
      const answer = readAnswer(await this.#ask(index));
      if (step !== this.#step) return;
      if (this.#answers.size >= KEPT_ANSWERS) this.#answers.clear();
      this.#answers.set(index, answer);
      if (index === this.#index) this.#fill(answer);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (index === this.#index) this.#lines.append(make("div", "nnw-sample-error", text));
    }
    if (index === this.#index) this.#move();
  }

  #fill({ title, lines, picture }: Answer): void {
    setText(this.#title, title);
    this.#lines.replaceChildren(...lines.map(([name, value]) => makeLine(name, value)));
    this.#picture.classList.toggle("nnw-empty", picture === null);
    if (picture) paintPicture(this.#picture, picture);
    else this.#picture.width = this.#picture.height = 1;
  }
}

/** "predicted **6** (0.45)": what stands in brackets is an aside. */
function makeLine(name: string, value: string): HTMLElement {
  const at = value.indexOf(" (");
  const strong = at < 0 ? value : value.slice(0, at);
  return make("div", "nnw-cut", `${name} `, make("b", "", strong), at < 0 ? "" : value.slice(at));
}
