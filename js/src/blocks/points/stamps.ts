/** A software rasteriser: draws on the processor what the shader draws. Pure. */

import type { Rgb } from "../../kernel/color.ts";

/** Places within a pixel, each way, and radii within a pixel that stamps are made for. */
const PLACES = 4;
const RADII = 8;

/** How much of each pixel about a mark's centre is core and how much line: first those that are core throughout. */
interface Stamp {
  /** Pixels from that of the centre to the farthest, each way. */
  readonly reach: number;
  readonly dx: Int16Array;
  readonly dy: Int16Array;
  /** `dy` rows and `dx` pixels on, in a picture of this width. */
  readonly offset: Int32Array;
  readonly core: Float32Array;
  readonly line: Float32Array;
  readonly solid: number;
}

/** Coverage of a disc of the inner radius and a line round it to the outer one; lengths in pixels. */
function makeStamp(inner: number, outer: number, x: number, y: number, width: number): Stamp {
  const reach = Math.ceil(outer + 1);
  const cells: { dx: number; dy: number; core: number; line: number }[] = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      // Half a pixel on either side of an edge is shared between in and out, as in the shader.
      const distance = Math.hypot(dx + 0.5 - x, dy + 0.5 - y);
      const core = Math.min(Math.max(inner + 0.5 - distance, 0), 1);
      const line = Math.min(Math.max(outer + 0.5 - distance, 0), 1) - core;
      if (core + line > 0) cells.push({ dx, dy, core, line });
    }
  }
  cells.sort((a, b) => Number(b.core === 1) - Number(a.core === 1));
  return {
    reach,
    dx: Int16Array.from(cells, (cell) => cell.dx),
    dy: Int16Array.from(cells, (cell) => cell.dy),
    offset: Int32Array.from(cells, (cell) => cell.dy * width + cell.dx),
    core: Float32Array.from(cells, (cell) => cell.core),
    line: Float32Array.from(cells, (cell) => cell.line),
    solid: cells.filter((cell) => cell.core === 1).length,
  };
}

/** How the marks of one pass look; lengths in pixels. */
export interface Ink {
  readonly line: number;
  readonly stroke: Rgb;
  readonly filled: boolean;
  readonly alpha: number;
}

/** A picture with colours multiplied by their alpha, on which marks lie over each other in the order they come. */
export class Pixmap {
  readonly width: number;
  readonly height: number;
  readonly #bytes: Uint8ClampedArray;
  readonly #words: Uint32Array;
  /** Of each width of a line; they serve all later pictures of this size. */
  readonly #sheets = new Map<number, Stamp[]>();
  #stamps: Stamp[] = [];
  #ink: Ink = { line: 0, stroke: [0, 0, 0], filled: true, alpha: 1 };

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#bytes = new Uint8ClampedArray(4 * width * height);
    this.#words = new Uint32Array(this.#bytes.buffer);
  }

  clear(): void {
    this.#words.fill(0);
  }

  /** The ink of the marks that follow. */
  dip(ink: Ink): void {
    this.#ink = ink;
    this.#stamps = this.#sheets.get(ink.line) ?? [];
    this.#sheets.set(ink.line, this.#stamps);
  }

  /** A mark whose line is centred on `radius` pixels round (x, y). */
  stamp(x: number, y: number, radius: number, red: number, green: number, blue: number): void {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const stamp = this.#stampFor(radius, x - column, y - row);
    const { reach } = stamp;
    if (column < -reach || row < -reach || column >= this.width + reach || row >= this.height + reach) return;
    const inside = column >= reach && row >= reach && column < this.width - reach && row < this.height - reach;
    const { filled, alpha, stroke } = this.#ink;
    const [bytes, words, { offset, core, line, dx, dy }] = [this.#bytes, this.#words, stamp];
    const start = row * this.width + column;
    const plain = inside && filled && alpha === 1 ? stamp.solid : 0;
    const color = (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
    for (let k = 0; k < plain; k++) words[start + (offset[k] as number)] = color;
    for (let k = plain; k < offset.length; k++) {
      if (!inside && this.#outside(column + (dx[k] as number), row + (dy[k] as number))) continue;
      const inner = filled ? (core[k] as number) * alpha : 0;
      const outer = (line[k] as number) * alpha;
      const kept = 1 - inner - outer;
      const at = 4 * (start + (offset[k] as number));
      bytes[at] = red * inner + stroke[0] * outer + (bytes[at] as number) * kept;
      bytes[at + 1] = green * inner + stroke[1] * outer + (bytes[at + 1] as number) * kept;
      bytes[at + 2] = blue * inner + stroke[2] * outer + (bytes[at + 2] as number) * kept;
      bytes[at + 3] = 255 * (inner + outer) + (bytes[at + 3] as number) * kept;
    }
  }

  /** Writes the picture as an ImageData holds it, colours not multiplied. */
  write(rgba: Uint8ClampedArray): void {
    const [words, out] = [this.#words, new Uint32Array(rgba.buffer, rgba.byteOffset, this.#words.length)];
    for (let i = 0; i < words.length; i++) {
      const word = words[i] as number;
      const alpha = word >>> 24;
      out[i] = word;
      if (alpha === 0 || alpha === 255) continue;
      const share = 255 / alpha;
      rgba[4 * i] = (word & 255) * share;
      rgba[4 * i + 1] = ((word >> 8) & 255) * share;
      rgba[4 * i + 2] = ((word >> 16) & 255) * share;
    }
  }

  #outside(column: number, row: number): boolean {
    return column < 0 || row < 0 || column >= this.width || row >= this.height;
  }

  #stampFor(radius: number, x: number, y: number): Stamp {
    const [r, u, v] = [Math.round(radius * RADII), Math.floor(x * PLACES), Math.floor(y * PLACES)];
    const key = (r * PLACES + u) * PLACES + v;
    const line = this.#ink.line / 2;
    const middle = (place: number): number => (place + 0.5) / PLACES;
    return (this.#stamps[key] ??= makeStamp(r / RADII - line, r / RADII + line, middle(u), middle(v), this.width));
  }
}
