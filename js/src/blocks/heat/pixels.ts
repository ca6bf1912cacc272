/** The heat over the picture: orange above zero, blue below. Numbers in, pixels out. */

import type { Pixels } from "../../kernel/canvas.ts";
import { heatColor } from "../../kernel/color.ts";

/** Grey of one pixel (0–255): itself, or the luma of an RGB picture (ITU-R BT.601). */
function grey(picture: ArrayLike<number>, pixel: number, channels: number): number {
  if (channels === 1) return picture[pixel]!;
  const at = pixel * channels;
  return 0.299 * picture[at]! + 0.587 * picture[at + 1]! + 0.114 * picture[at + 2]!;
}

/**
 * The overlay. `picture` (H·W, or H·W·3 interleaved, 0–255), `values` (H·W); `most` is the value drawn at full
 * strength. Pixels without a finite value show the dimmed picture alone and are listed as holes.
 */
export function heatPixels(
  picture: ArrayLike<number>,
  values: ArrayLike<number>,
  size: readonly [number, number],
  most: number,
  opacity: number,
): Pixels {
  const [height, width] = size;
  const rgba = new Uint8ClampedArray(4 * width * height);
  const out = new Uint32Array(rgba.buffer);
  const channels = Math.round(picture.length / Math.max(out.length, 1));
  const holes: number[] = [];
  for (let pixel = 0; pixel < out.length; pixel++) {
    const value = values[pixel]!;
    if (!Number.isFinite(value)) holes.push(pixel);
    const share = most > 0 && Number.isFinite(value) ? value / most : 0;
    out[pixel] = heatColor(grey(picture, pixel, channels), share, opacity);
  }
  return { width, height, rgba, holes };
}

/** One row of pixels for the overlay's scale bar: the heat over black from `lo` to `hi`. */
export function heatBar(lo: number, hi: number, opacity: number, width: number): Pixels {
  const values = Float32Array.from({ length: width }, (_, x) => lo + ((x + 0.5) / width) * (hi - lo));
  return heatPixels(new Uint8Array(width), values, [1, width], Math.max(Math.abs(lo), Math.abs(hi)), opacity);
}

/** Where a scale from `lo` to `hi` is labelled: both ends, and zero between them, without two labels on one place. */
export function scaleTicks(lo: number, hi: number, width: number, room = 34): number[] {
  const zero = lo < 0 && hi > 0 ? 0 : lo;
  const place = (value: number): number => ((value - lo) / (hi - lo || 1)) * width;
  const ticks = [zero];
  if (zero !== lo && place(zero) >= room) ticks.unshift(lo);
  // The end opposite to the stronger one gives way to zero, as it is read from the other's length.
  if (hi !== zero && (width - place(zero) >= room || ticks.length === 1)) ticks.push(hi);
  return ticks;
}
