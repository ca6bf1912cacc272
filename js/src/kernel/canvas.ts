/** Painting arrays into a canvas: whole pixels, no smoothing, not-a-number hatched. Knows no DOM but the canvas. */

import type { Lut, Theme } from "./color.ts";
import type { NdArray } from "./wire.ts";

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Scale {
  lo: number;
  hi: number;
  lut: Lut;
}

/** What is drawn of one picture: its pixels, and the cells that hold no finite number. */
export interface Pixels {
  width: number;
  height: number;
  rgba: Uint8ClampedArray;
  holes: number[];
}

const OPAQUE = 0xff000000;

/** Sizes a canvas in CSS px for the screen's density and returns its cleared context, scaled to CSS px. */
export function prepareCanvas(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D | null {
  const ratio = globalThis.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  return context;
}

/** Picture `index` of maps (n, h, w), or the only one of (h, w), through a colour map. */
export function mapPixels(array: NdArray, index: number, scale: Scale): Pixels {
  const [height, width] = array.shape.slice(-2) as [number, number];
  const rgba = new Uint8ClampedArray(width * height * 4);
  const out = new Uint32Array(rgba.buffer);
  const holes: number[] = [];
  const values = array.data.subarray(index * out.length, (index + 1) * out.length);
  const { lut, lo } = scale;
  const last = lut.length - 1;
  // The same as `lookUp`, written out: this runs for 200 000 values a frame.
  const steps = scale.hi > lo ? last / (scale.hi - lo) : 0;
  for (let i = 0; i < out.length; i++) {
    const value = values[i] as number;
    const at = (value - lo) * steps;
    if (at >= 0 && at <= last) out[i] = lut[(at + 0.5) | 0] as number;
    else if (Number.isFinite(value)) out[i] = lut[at < 0 ? 0 : last] as number;
    else holes.push(i);
  }
  return { width, height, rgba, holes };
}

/** Picture `index` as it is: grey (h, w) or colour (h, w, 3), values 0–255; `channels` says which the array holds. */
export function rawPixels(array: NdArray, index: number, channels: 1 | 3): Pixels {
  const end = array.shape.length - (channels === 3 ? 1 : 0);
  const [height, width] = array.shape.slice(end - 2, end) as [number, number];
  const rgba = new Uint8ClampedArray(width * height * 4);
  const out = new Uint32Array(rgba.buffer);
  const start = index * width * height * channels;
  for (let i = 0; i < out.length; i++) {
    const at = start + i * channels;
    const red = array.data[at] as number;
    const green = channels === 3 ? (array.data[at + 1] as number) : red;
    const blue = channels === 3 ? (array.data[at + 2] as number) : red;
    out[i] = (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0;
  }
  return { width, height, rgba, holes: [] };
}

/** Pixels of the sample picture `index` in an array (n, h, w) or (n, h, w, 3); of one without a count if not `many`. */
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

let scratch: HTMLCanvasElement | undefined;

/** Draws pixels over a rectangle: blown up without smoothing, shrunk by the browser's mean; holes are hatched. */
export function drawPixels(context: CanvasRenderingContext2D, pixels: Pixels, to: Rect, theme: Theme): void {
  scratch ??= document.createElement("canvas");
  // Setting a canvas's size allocates it anew, and all tiles have one size.
  if (scratch.width !== pixels.width) scratch.width = pixels.width;
  if (scratch.height !== pixels.height) scratch.height = pixels.height;
  const own = scratch.getContext("2d", { willReadFrequently: true });
  if (!own) return;
  const image = own.createImageData(pixels.width, pixels.height);
  image.data.set(pixels.rgba);
  own.putImageData(image, 0, 0);
  context.fillStyle = theme.ground;
  context.fillRect(to.x, to.y, to.width, to.height);
  context.imageSmoothingEnabled = pixels.width > to.width || pixels.height > to.height;
  context.imageSmoothingQuality = "high";
  context.drawImage(scratch, 0, 0, pixels.width, pixels.height, to.x, to.y, to.width, to.height);
  const [width, height] = [to.width / pixels.width, to.height / pixels.height];
  const holes = cellRects(pixels.holes, pixels.width, (column) => to.x + column * width, (row) => to.y + row * height);
  drawHatch(context, holes, theme.error);
}

/** Ascending cells of a grid as rectangles, neighbours in a row joined; `toX` and `toY` say where its lines are. */
export function cellRects(
  cells: readonly number[],
  columns: number,
  toX: (column: number) => number,
  toY: (row: number) => number,
): Rect[] {
  const rects: Rect[] = [];
  cells.forEach((cell, i) => {
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    const open = rects.at(-1);
    if (open && column > 0 && cell === cells[i - 1]! + 1) open.width = toX(column + 1) - open.x;
    else {
      const [x, y] = [toX(column), toY(row)];
      rects.push({ x, y, width: toX(column + 1) - x, height: toY(row + 1) - y });
    }
  });
  return rects;
}

/** 45° lines over the rectangles, continuous where they touch. */
export function drawHatch(context: CanvasRenderingContext2D, rects: readonly Rect[], color: string, pitch = 5): void {
  if (rects.length === 0) return;
  const left = Math.min(...rects.map((r) => r.x));
  const top = Math.min(...rects.map((r) => r.y));
  const right = Math.max(...rects.map((r) => r.x + r.width));
  const bottom = Math.max(...rects.map((r) => r.y + r.height));
  context.save();
  context.beginPath();
  for (const r of rects) context.rect(r.x, r.y, r.width, r.height);
  context.clip();
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  const first = Math.floor((left + top) / pitch) * pitch;
  for (let sum = first; sum <= right + bottom; sum += pitch) {
    context.moveTo(sum - top, top);
    context.lineTo(sum - bottom, bottom);
  }
  context.stroke();
  context.restore();
}

/** A line of small text. */
export function drawText(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  theme: Theme,
  color: string,
  align: CanvasTextAlign = "left",
  baseline: CanvasTextBaseline = "middle",
): void {
  Object.assign(context, { font: `11px ${theme.font}`, fillStyle: color, textAlign: align, textBaseline: baseline });
  context.fillText(text, x, y);
}

/** A colour map from its low to its high end, left to right. */
export function drawScale(context: CanvasRenderingContext2D, lut: Lut, to: Rect, theme: Theme): void {
  const last = lut.length - 1;
  const array: NdArray = { shape: [1, lut.length], data: Float32Array.from(lut, (_, i) => i) };
  drawPixels(context, mapPixels(array, 0, { lo: 0, hi: last, lut }), to, theme);
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.strokeRect(to.x + 0.5, to.y + 0.5, to.width - 1, to.height - 1);
}
