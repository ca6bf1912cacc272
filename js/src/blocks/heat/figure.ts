/** One titled figure in the picture's frame: canvas, crosshair, and its scale bar. Makes elements; knows no values. */

import { prepareCanvas } from "../../kernel/canvas.ts";
import { make, setText } from "../../kernel/dom.ts";

export interface Figure {
  element: HTMLElement;
  /** What the pointer is followed in; as large as the picture. */
  frame: HTMLElement;
  canvas: HTMLCanvasElement;
  /** Room for a scale bar or a legend. */
  below: HTMLElement;
  setTitle(title: string, sub: string): void;
  /** Width and height of the frame, and of the box that holds its place. */
  resize(width: number, height: number, box: number): void;
}

/** The overlay marks the square itself, the panels a crosshair through its centre. */
export function makeFigure(mark: "square" | "cross"): Figure {
  const title = make("div", "nnw-heat-title nnw-cut");
  const sub = make("div", "nnw-heat-sub nnw-cut");
  const canvas = make("canvas");
  const marks = mark === "square" ? ["nnw-heat-square"] : ["nnw-heat-row", "nnw-heat-col", "nnw-heat-cell"];
  const frame = make("div", "nnw-heat-frame", canvas, ...marks.map((kind) => make("div", kind)));
  const below = make("div", "nnw-heat-below");
  const element = make("div", mark === "square" ? "nnw-heat-overlay" : "nnw-heat-panel", title, sub, frame, below);
  return {
    element,
    frame,
    canvas,
    below,
    setTitle(text, subText) {
      if (title.dataset.text !== text) {
        // Backticks mark a layer's name, which is set in the code font.
        title.replaceChildren(...text.split("`").map((part, k) => (k % 2 ? make("code", "", part) : part)));
        title.dataset.text = text;
      }
      title.title = text.replaceAll("`", "");
      setText(sub, subText);
      sub.title = subText;
    },
    resize(width, height, box) {
      element.style.width = `${box}px`;
      frame.style.width = `${width}px`;
      frame.style.height = `${height}px`;
    },
  };
}

export interface ScaleBar {
  element: HTMLElement;
  /** Labels by their place (0–1) along the bar; the unit's word joins one in the middle, else fills the widest gap. */
  draw(width: number, labels: readonly [at: number, text: string][], unit: string): CanvasRenderingContext2D | null;
}

export const BAR_HEIGHT = 8;

export function makeScaleBar(withTicks: boolean): ScaleBar {
  const canvas = make("canvas");
  const words = make("div", "nnw-heat-labels");
  const element = make("div", "nnw-heat-scale", canvas, words);
  return {
    element,
    draw(width, labels, unit) {
      const middle = labels.find(([at]) => at > 0.4 && at < 0.6);
      const named = labels.map(([at, text]): [number, string] => [at, at === middle?.[0] ? `${text} · ${unit}` : text]);
      const marks = named.flatMap(([at, text]) => label(at, text, width, withTicks));
      const word = make("span", "nnw-heat-unit", middle ? "" : unit);
      word.style.left = `${100 * widestGap(labels.map(([at]) => at))}%`;
      words.replaceChildren(...marks, word);
      return prepareCanvas(canvas, width, BAR_HEIGHT);
    },
  };
}

/** The middle of the widest gap between labels; those flush with an end reach into the bar. */
function widestGap(places: readonly number[]): number {
  const stops = [0, ...places.map((at) => (at < 0.05 ? at + 0.1 : at > 0.95 ? at - 0.15 : at)), 1];
  const gaps = stops.slice(1).map((stop, k) => ({ size: stop - stops[k]!, middle: (stop + stops[k]!) / 2 }));
  return gaps.reduce((a, b) => (b.size > a.size ? b : a)).middle;
}

/** A label centred on its tick; near an end it is flush with that end. */
function label(at: number, text: string, width: number, withTick: boolean): HTMLElement[] {
  const near = Math.min(at, 1 - at) * width < 12;
  const words = make("span", "nnw-heat-label", text);
  words.dataset.side = !near ? "middle" : at < 0.5 ? "start" : "end";
  words.style.left = `${at * 100}%`;
  if (!withTick) return [words];
  const tick = make("i", "nnw-heat-tick");
  tick.style.left = `min(${at * 100}%, 100% - 1px)`;
  return [tick, words];
}
