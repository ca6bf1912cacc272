/** Numbers at the axes of a canvas. */

import type { Rect } from "../kernel/canvas.ts";
import type { Theme } from "../kernel/color.ts";
import { formatTick } from "../kernel/format.ts";

const STEPS = [1, 2, 2.5, 5, 10];

/** At most about `most` round numbers from low to high. */
export function ticks(low: number, high: number, most: number): number[] {
  if (!(high > low) || !Number.isFinite(high - low)) return [low];
  const raw = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * (STEPS.find((each) => each * power >= raw * (1 - 1e-9)) ?? 10);
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** 1, 10, 100 … up to `high`. */
export function decades(high: number): number[] {
  return Array.from({ length: Math.max(1, Math.floor(Math.log10(Math.max(1, high))) + 1) }, (_, i) => 10 ** i);
}

export const AXIS_FONT = (theme: Theme): string => `11px ${theme.font}`;

/** Numbers under a plot, and the word for them at its middle in the line below. */
export function drawAcross(
  context: CanvasRenderingContext2D,
  plot: Rect,
  [low, high]: readonly [number, number],
  word: string,
  theme: Theme,
): void {
  context.font = AXIS_FONT(theme);
  context.fillStyle = theme.text2;
  context.textBaseline = "top";
  const bottom = plot.y + plot.height + 4;
  for (const at of ticks(low, high, Math.max(2, Math.floor(plot.width / 90)))) {
    const x = plot.x + ((at - low) / (high - low || 1)) * plot.width;
    const text = formatTick(at);
    const half = context.measureText(text).width / 2;
    context.textAlign = "center";
    context.fillText(text, Math.min(Math.max(x, plot.x + half - 4), plot.x + plot.width - half + 4), bottom);
  }
  context.textAlign = "center";
  if (word) context.fillText(word, plot.x + plot.width / 2, bottom + 14);
}

/** Lines across a plot with their numbers at the left; `toY` says how high each is. */
export function drawUp(
  context: CanvasRenderingContext2D,
  plot: Rect,
  values: readonly number[],
  toY: (value: number) => number,
  theme: Theme,
): void {
  context.font = AXIS_FONT(theme);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const value of values) {
    const y = Math.round(toY(value)) + 0.5;
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(plot.x, y);
    context.lineTo(plot.x + plot.width, y);
    context.stroke();
    context.fillStyle = theme.text2;
    context.fillText(formatTick(value), plot.x - 6, y);
  }
}
