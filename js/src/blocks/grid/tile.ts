/** One tile's element over the canvas: frame, label, mark, figure and accessible name. */

import type { Rect } from "../../kernel/canvas.ts";
import { make, setText } from "../../kernel/dom.ts";
import type { GridBlock } from "../types.ts";
import { descriptionOf, labelOf } from "./data.ts";

export interface Tile {
  element: HTMLElement;
  label(data: GridBlock, index: number): void;
  place(at: Rect, selected: boolean): void;
}

/** "‡ 0.08" is the mark, which always shows, and the figure, which a narrow view leaves to hover. */
export function splitMark(words: string): [string, string] {
  const mark = /^[†‡≡≈]/.exec(words)?.[0] ?? "";
  return [mark, words.slice(mark.length)];
}

export function makeTile(id: string): Tile {
  const frame = make("div", "nnw-grid-frame");
  const [left, flag, mark] = [make("span"), make("span"), make("span")];
  const figure = make("span", "nnw-grid-figure");
  const right = make("span", "", flag, mark, figure);
  const element = make("div", "nnw-grid-tile", frame, make("div", "nnw-grid-tile-label nnw-small", left, right));
  element.id = id;
  return {
    element,
    label(data, index) {
      const words = data.flags?.[index] ?? "";
      const [sign, value] = splitMark(data.figures?.[index] ?? "");
      element.setAttribute("role", data.column ? "gridcell" : "img");
      setText(left, labelOf(data, index));
      setText(flag, words && value ? `${words} ` : words);
      setText(mark, sign);
      setText(figure, value);
      right.classList.toggle("nnw-strong", words + sign !== "");
      frame.classList.toggle("nnw-grid-dashed", words.startsWith("dead"));
      const name = descriptionOf(data, index);
      if (element.getAttribute("aria-label") !== name) element.setAttribute("aria-label", name);
    },
    place(at, selected) {
      element.style.transform = `translate(${at.x}px, ${at.y}px)`;
      element.style.width = frame.style.width = `${at.width}px`;
      frame.style.height = `${at.height}px`;
      if (element.getAttribute("role") === "gridcell") element.setAttribute("aria-selected", String(selected));
    },
  };
}
