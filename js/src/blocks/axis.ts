/** Axes of a canvas: their numbers, and bins along them. */

import { type Rect, drawText } from "../kernel/canvas.ts";
import type { Theme } from "../kernel/color.ts";
import { formatTick, plural } from "../kernel/format.ts";

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

/** Bins between edges across a plot. */
export function binsOf(edges: ArrayLike<number>, plot: Rect) {
  const last = edges.length - 1;
  const [low, high] = [edges[0] as number, edges[last] as number];
  const toX = (value: number): number => plot.x + ((value - low) / (high - low)) * plot.width;
  return {
    ends: [low, high] as const,
    /** Where a value lies, px. */
    toX,
    /** The bin at a point; null beside all. */
    at(x: number): number | null {
      const share = (x - plot.x) / plot.width;
      if (!(share >= 0 && share <= 1)) return null;
      const value = low + share * (high - low);
      let bin = 0;
      while (bin < last - 1 && value >= (edges[bin + 1] as number)) bin++;
      return bin;
    },
    /** A bin over the height of the plot. */
    rect(bin: number): Rect {
      const x = toX(edges[bin] as number);
      return { ...plot, x, width: toX(edges[bin + 1] as number) - x };
    },
  };
}

/** What is in no bin, in words. */
export function leftOut(missing: number, outside: number): string {
  const parts = [];
  if (missing > 0) parts.push(`${plural(missing, "value")} not finite`);
  if (outside > 0) parts.push(`${plural(outside, "value")} outside`);
  return parts.join(", ");
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
  const bottom = plot.y + plot.height + 4;
  context.font = AXIS_FONT(theme);
  for (const at of ticks(low, high, Math.max(2, Math.floor(plot.width / 90)))) {
    const text = formatTick(at);
    const half = context.measureText(text).width / 2;
    const middle = plot.x + ((at - low) / (high - low || 1)) * plot.width;
    const x = Math.min(Math.max(middle, plot.x + half - 4), plot.x + plot.width - half + 4);
    drawText(context, text, x, bottom, theme, theme.text2, "center", "top");
  }
  if (word) drawText(context, word, plot.x + plot.width / 2, bottom + 14, theme, theme.text2, "center", "top");
}

/** Lines across a plot with their numbers at the left; `toY` says how high each is. */
export function drawUp(
  context: CanvasRenderingContext2D,
  plot: Rect,
  values: readonly number[],
  toY: (value: number) => number,
  theme: Theme,
): void {
  for (const value of values) {
    const y = Math.round(toY(value)) + 0.5;
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(plot.x, y);
    context.lineTo(plot.x + plot.width, y);
    context.stroke();
    drawText(context, formatTick(value), plot.x - 6, y, theme, theme.text2, "right");
  }
}
