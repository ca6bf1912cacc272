/** The map as a picture: what the canvases show on the theme's ground, and the caption below. */

import { prepareCanvas } from "../kernel/canvas.ts";
import { make } from "../kernel/dom.ts";
import type { Theme } from "../kernel/color.ts";
import type { Size } from "./camera.ts";

export const CAPTION_PX = 11;
export const CAPTION_LINE = 16;
const MARGIN = 8;

/** Words joined into lines no wider than `width`; a single word may be. */
export function breakLines(text: string, width: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && measure(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line ? [...lines, line] : lines;
}

/** A caption broken for a picture of this width. */
export function captionLines(text: string, width: number, theme: Theme): string[] {
  const context = make("canvas").getContext("2d");
  if (!context) return [text];
  context.font = `${CAPTION_PX}px ${theme.font}`;
  return breakLines(text, width - 2 * MARGIN, (words) => context.measureText(words).width);
}

/** A canvas with the layers above each other, drawn by `paint` in CSS px, and the caption under them. */
export function pictureOf(
  size: Size,
  lines: readonly string[],
  theme: Theme,
  paint: (context: CanvasRenderingContext2D) => void,
): HTMLCanvasElement {
  const canvas = make("canvas");
  const height = size.height + lines.length * CAPTION_LINE + CAPTION_LINE / 2;
  const context = prepareCanvas(canvas, size.width, height);
  if (!context) return canvas;
  context.fillStyle = theme.behind;
  context.fillRect(0, 0, size.width, height);
  paint(context);
  context.font = `${CAPTION_PX}px ${theme.font}`;
  context.fillStyle = theme.text;
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  lines.forEach((line, k) => context.fillText(line, MARGIN, size.height + (k + 0.75) * CAPTION_LINE));
  return canvas;
}
