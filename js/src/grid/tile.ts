/** One tile's element over the canvas: frame, label, mark, figure and accessible name. */

import type { Rect } from "../kernel/canvas.ts";
import { make, setHidden, setText } from "../kernel/dom.ts";
import type { TilesHeader } from "./header.ts";

export interface Tile {
  element: HTMLElement;
  /** `hasPicture` is false before the first result: an empty frame stands there. */
  label(tiles: TilesHeader, index: number, hasPicture: boolean): void;
  place(at: Rect, selected: boolean): void;
}

/** "‡ 0.08" is the mark, which always shows, and the figure, which a narrow view leaves to hover. */
export function splitMark(words: string): [string, string] {
  const mark = /^[†‡≡≈]/.exec(words)?.[0] ?? "";
  return [mark, words.slice(mark.length)];
}

export function makeTile(id: string, role: "gridcell" | "img"): Tile {
  const [frame, left, flag, mark, figure] = [
    make("div", "nnw-frame"),
    make("span"),
    make("span"),
    make("span"),
    make("span", "nnw-figure"),
  ];
  const right = make("span", "", flag, mark, figure);
  const element = make("div", "nnw-tile", frame, make("div", "nnw-tile-label", left, right));
  element.id = id;
  element.setAttribute("role", role);
  return {
    element,
    label(tiles, index, hasPicture) {
      const words = tiles.flags[index] ?? "";
      const [sign, value] = splitMark(tiles.values[index] ?? "");
      setText(left, tiles.labels[index] ?? "");
      setText(flag, words && value ? `${words} ` : words);
      setText(mark, sign);
      setText(figure, value);
      right.classList.toggle("nnw-strong", words + sign !== "");
      frame.classList.toggle("nnw-dashed", !hasPicture || words.startsWith("dead"));
      const name = tiles.aria[index] ?? `${tiles.labels[index] ?? ""} ${right.textContent}`;
      if (element.getAttribute("aria-label") !== name) element.setAttribute("aria-label", name);
    },
    place(at, selected) {
      setHidden(element, false);
      element.style.transform = `translate(${at.x}px, ${at.y}px)`;
      element.style.width = frame.style.width = `${at.width}px`;
      frame.style.height = `${at.height}px`;
      if (role === "gridcell") element.setAttribute("aria-selected", String(selected));
    },
  };
}
