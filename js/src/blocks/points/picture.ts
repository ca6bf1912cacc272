/** The map as a picture: what the canvases show on the theme's ground, the legend beside it, the caption below. */

import { prepareCanvas } from "../../kernel/canvas.ts";
import { make } from "../../kernel/dom.ts";
import type { Theme } from "../../kernel/color.ts";
import type { Size } from "./camera.ts";
import { KEY_LINE, KEY_WIDTH, type Line, type Pen } from "./key.ts";

export const CAPTION_PX = 11;
const CAPTION_LINE = 16;
const MARGIN = 8;

/** What is drawn round a map, and how large that makes the whole. */
export interface Frame extends Size {
  readonly map: Size;
  readonly key: readonly Line[];
  /** The caption, broken into lines that fit the width. */
  readonly lines: readonly string[];
}

export function frameOf(map: Size, key: readonly Line[], caption: string, theme: Theme): Frame {
  const width = map.width + (key.length > 0 ? 3 * MARGIN + KEY_WIDTH : 0);
  const lines = captionLines(caption, width, theme);
  const height = Math.max(map.height, (key.length + 1) * KEY_LINE) + lines.length * CAPTION_LINE + CAPTION_LINE / 2;
  return { map, key, lines, width, height };
}

export function drawKey(pen: Pen, { map, key }: Frame): void {
  key.forEach((line, k) => line(pen, map.width + 2 * MARGIN, (k + 1) * KEY_LINE));
}

export function drawCaption(pen: Pen, { lines, height }: Frame, ink: string): void {
  lines.forEach((line, k) => pen.text(line, MARGIN, height - (lines.length - k - 0.25) * CAPTION_LINE, ink));
}

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
function captionLines(text: string, width: number, theme: Theme): string[] {
  const context = make("canvas").getContext("2d");
  if (!context) return [text];
  context.font = `${CAPTION_PX}px ${theme.font}`;
  return breakLines(text, width - 2 * MARGIN, (words) => context.measureText(words).width);
}

/** A canvas with the layers above each other, drawn by `paint` in CSS px, and what is round them. */
export function pictureOf(
  frame: Frame,
  ink: string,
  theme: Theme,
  paint: (context: CanvasRenderingContext2D) => void,
): HTMLCanvasElement {
  const canvas = make("canvas");
  const context = prepareCanvas(canvas, frame.width, frame.height);
  if (!context) return canvas;
  context.fillStyle = theme.behind;
  context.fillRect(0, 0, frame.width, frame.height);
  context.save();
  context.beginPath();
  context.rect(0, 0, frame.map.width, frame.map.height);
  context.clip();
  paint(context);
  context.restore();
  context.textBaseline = "alphabetic";
  context.font = `${CAPTION_PX}px ${theme.font}`;
  const pen = penOn(context);
  drawKey(pen, frame);
  drawCaption(pen, frame, ink);
  return canvas;
}

/** A pen that draws on a canvas, in its font. */
export function penOn(context: CanvasRenderingContext2D): Pen {
  return {
    text(words, x, y, fill, anchor = "start") {
      context.fillStyle = fill;
      context.textAlign = anchor === "middle" ? "center" : anchor;
      context.fillText(words, x, y);
    },
    disc(x, y, radius, { fill = "none", stroke = "none", line = 1, alpha = 1 }) {
      context.globalAlpha = alpha;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      if (fill !== "none") {
        context.fillStyle = fill;
        context.fill();
      }
      if (stroke !== "none") {
        context.lineWidth = line;
        context.strokeStyle = stroke;
        context.stroke();
      }
      context.globalAlpha = 1;
    },
    box(x, y, width, height, fill) {
      context.fillStyle = fill;
      context.fillRect(x, y, width, height);
    },
  };
}
