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

export type HoverCard = ReturnType<typeof makeCard>;

export function makeCard(root: HTMLElement, ask: Ask) {
  const picture = make("canvas", "nnw-sample-picture");
  const [title, lines] = [make("div", "nnw-sample-title"), make("div", "nnw-sample-lines")];
  const element = make("div", "nnw-sample-card nnw-float", picture, make("div", "", title, lines));
  const answers = new Map<number, Answer>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let shown = -1;
  let step: number | null | undefined;
  /** Puts the card where it belongs at its present size. */
  let move = (): void => undefined;
  picture.ariaHidden = "true";
  element.role = "status";
  element.hidden = true;
  root.append(element);

  function fetchSoon(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void fetchAnswer(shown), ASK_AFTER_MS);
  }

  async function fetchAnswer(index: number): Promise<void> {
    const asked = step;
    try {
      const answer = readAnswer(await ask(index));
      if (asked !== step) return;
      if (answers.size >= KEPT_ANSWERS) answers.clear();
      answers.set(index, answer);
      if (index === shown) fill(answer);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (index === shown) lines.append(make("div", "nnw-sample-error", text));
    }
    if (index === shown) move();
  }

  function fill(answer: Answer): void {
    setText(title, answer.title);
    lines.replaceChildren(...answer.lines.map(([name, value]) => makeLine(name, value)));
    picture.classList.toggle("nnw-empty", answer.picture === null);
    if (answer.picture) paintPicture(picture, answer.picture);
    else picture.width = picture.height = 1;
  }

  return {
    /**
     * Shows the card of a dataset index beside a rectangle in the client's coordinates. `known` is what the block knows
     * of the sample already; Python's answer replaces it. `place` puts the card elsewhere.
     */
    show(index: number, at: Rect, known: readonly CardLine[] = [], place?: PlaceCard): void {
      move = () => {
        const frame = root.getBoundingClientRect();
        const size = { width: element.offsetWidth, height: element.offsetHeight };
        const spot = place ? place(size) : placeBeside(at, size.width, size.height, frame);
        element.style.left = `${Math.round(spot.x - frame.x - root.clientLeft)}px`;
        element.style.top = `${Math.round(spot.y - frame.y - root.clientTop)}px`;
      };
      if (index !== shown) {
        shown = index;
        const answer = answers.get(index);
        setHidden(element, false);
        fill(answer ?? { title: `Sample ${index}`, lines: known, picture: null });
        clearTimeout(timer);
        if (!answer) fetchSoon();
      }
      move();
    },
    hide(): void {
      clearTimeout(timer);
      shown = -1;
      setHidden(element, true);
    },
    /** Answers hold for one step; a card in sight keeps its words until the new ones come. */
    adoptStep(next: number | null | undefined): void {
      if (next === step) return;
      step = next;
      answers.clear();
      if (shown >= 0) fetchSoon();
    },
  };
}

/** "predicted **6** (0.45)": what stands in brackets is an aside. */
function makeLine(name: string, value: string): HTMLElement {
  const at = value.indexOf(" (");
  const strong = at < 0 ? value : value.slice(0, at);
  return make("div", "nnw-cut", `${name} `, make("b", "", strong), at < 0 ? "" : value.slice(at));
}
