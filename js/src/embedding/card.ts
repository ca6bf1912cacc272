/** The card beside the hovered point: what is known at once, then Python's answer with the picture. */

import { type Pixels, rawPixels } from "../kernel/canvas.ts";
import { make, setHidden, setText } from "../kernel/dom.ts";
import type { Frame, NdArray } from "../kernel/panel.ts";
import type { Box } from "./labels.ts";

export interface CardText {
  title: string;
  /** Name and value; the value is what one looks for. */
  lines: readonly (readonly [string, string])[];
}

interface Answer extends CardText {
  picture: Pixels | null;
}

/** Title, label, prediction and loss fit beside the picture; each line more makes the card higher. */
export const cardSize = (more: number): { width: number; height: number } => ({
  width: 216,
  height: 102 + 16 * Math.max(0, more - 1),
});
/** A pointer that crosses the cloud asks for nothing. */
const ASK_AFTER_MS = 60;
const KEPT_ANSWERS = 256;

/** Pixels of picture `index` in an array (h, w), (h, w, 3), or with a leading count. */
export function picturePixels(array: NdArray, index: number, many: boolean): Pixels {
  return rawPixels(array, index, array.shape.length - (many ? 1 : 0) === 3 ? 3 : 1);
}

/** Puts pixels into a canvas at their own size; the style sheet enlarges it without smoothing. */
export function paintPicture(canvas: HTMLCanvasElement, pixels: Pixels): void {
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(pixels.width, pixels.height);
  image.data.set(pixels.rgba);
  context.putImageData(image, 0, 0);
}

/** The reply to `card`: its words are read as text whatever they are. */
export function readAnswer(reply: Frame<Record<string, unknown>>): Answer {
  const lines = Array.isArray(reply.header["lines"]) ? (reply.header["lines"] as unknown[]) : [];
  const picture = reply.arrays["picture"];
  return {
    title: String(reply.header["title"] ?? ""),
    lines: lines.map((line) =>
      Array.isArray(line) ? ([String(line[0] ?? ""), String(line[1] ?? "")] as const) : (["", String(line)] as const),
    ),
    picture: picture ? picturePixels(picture, 0, false) : null,
  };
}

export class HoverCard {
  readonly element: HTMLElement;
  readonly #picture = make("canvas", "nnw-point-card-picture");
  readonly #title = make("div", "nnw-point-card-title");
  readonly #lines = make("div", "nnw-point-card-lines");
  readonly #answers = new Map<number, Answer>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #index = -1;
  readonly #ask: (index: number) => Promise<Frame<Record<string, unknown>>>;

  constructor(ask: (index: number) => Promise<Frame<Record<string, unknown>>>) {
    this.#ask = ask;
    this.#picture.ariaHidden = "true";
    this.element = make(
      "div",
      "nnw-point-card",
      this.#picture,
      make("div", "nnw-point-card-words", this.#title, this.#lines),
    );
    this.element.role = "status";
    this.element.hidden = true;
  }

  /** Shows what is known of a dataset index now, and asks for the rest. */
  show(index: number, known: CardText, at: Box): void {
    this.element.style.transform = `translate(${Math.round(at.left)}px, ${Math.round(at.top)}px)`;
    if (index === this.#index) return;
    this.#index = index;
    clearTimeout(this.#timer);
    const answer = this.#answers.get(index);
    this.#fill(answer ?? { ...known, picture: null });
    setHidden(this.element, false);
    if (!answer) this.#timer = setTimeout(() => void this.#fetch(index), ASK_AFTER_MS);
  }

  hide(): void {
    clearTimeout(this.#timer);
    this.#index = -1;
    setHidden(this.element, true);
  }

  /** Answers of an older step are wrong now; a card in sight keeps its words until the new ones come. */
  refresh(): void {
    this.#answers.clear();
    if (this.#index >= 0) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#fetch(this.#index), ASK_AFTER_MS);
    }
  }

  async #fetch(index: number): Promise<void> {
    try {
      const answer = readAnswer(await this.#ask(index));
      if (this.#answers.size >= KEPT_ANSWERS) this.#answers.clear();
      this.#answers.set(index, answer);
      if (index === this.#index) this.#fill(answer);
    } catch (error) {
      if (index === this.#index) this.#note(error instanceof Error ? error.message : String(error));
    }
  }

  #fill(answer: Answer): void {
    setText(this.#title, answer.title);
    this.#lines.replaceChildren(...answer.lines.map(([name, value]) => line(name, value)));
    this.#picture.classList.toggle("nnw-empty", answer.picture === null);
    if (answer.picture) paintPicture(this.#picture, answer.picture);
    else this.#picture.width = this.#picture.height = 1;
  }

  #note(text: string): void {
    this.#lines.append(make("div", "nnw-point-card-error", text));
  }
}

/** "predicted **6** (0.45)": what stands in brackets is an aside. */
function line(name: string, value: string): HTMLElement {
  const at = value.indexOf(" (");
  const strong = at < 0 ? value : value.slice(0, at);
  return make("div", "", `${name} `, make("b", "", strong), at < 0 ? "" : value.slice(at));
}
