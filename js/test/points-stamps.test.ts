import { describe, expect, test } from "vitest";
import type { Rgb } from "../src/kernel/color.ts";
import { type Ink, Pixmap } from "../src/blocks/points/stamps.ts";

const RED: Rgb = [200, 10, 20];
const WHITE: Rgb = [255, 255, 255];
const POINT: Ink = { line: 1, stroke: WHITE, filled: true, alpha: 1 };

/** x, y, radius in pixels, and colour. */
type Mark = [number, number, number, Rgb];

/** The pixels of marks in this ink, RGBA row by row. */
function drawn(marks: Mark[], ink: Ink, width = 40, height = 30): Uint8ClampedArray {
  const pixmap = new Pixmap(width, height);
  pixmap.dip(ink);
  for (const [x, y, radius, color] of marks) pixmap.stamp(x, y, radius, ...color);
  const rgba = new Uint8ClampedArray(4 * width * height);
  pixmap.write(rgba);
  return rgba;
}

/** What the shader's formula says of a pixel, as RGBA; null where nothing is drawn. */
function wanted(column: number, row: number, [x, y, radius, fill]: Mark, ink: Ink): number[] | null {
  const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
  const clamp = (value: number): number => Math.min(Math.max(value, 0), 1);
  const core = clamp(radius - ink.line / 2 + 0.5 - distance);
  const line = clamp(radius + ink.line / 2 + 0.5 - distance) - core;
  const alpha = (line + (ink.filled ? core : 0)) * ink.alpha;
  if (alpha === 0) return null;
  const mix = (axis: 0 | 1 | 2): number =>
    ((ink.stroke[axis] * line + (ink.filled ? fill[axis] * core : 0)) * ink.alpha) / alpha;
  return [mix(0), mix(1), mix(2), 255 * alpha];
}

describe("a stamped mark", () => {
  test.each([
    ["a point", POINT, 3],
    ["a large point", POINT, 8.25],
    ["a ring", { ...POINT, line: 1.5, filled: false }, 5.5],
    ["a half-clear point", { ...POINT, alpha: 0.5 }, 4],
    ["a speck without a line", { ...POINT, line: 0, alpha: 0.25 }, 1.5],
  ])("%s covers each pixel as the shader's formula says", (_, ink, radius) => {
    // Middles of the places within a pixel that stamps are made for.
    for (const [x, y] of [
      [20.125, 15.375],
      [19.625, 14.875],
    ] as const) {
      const rgba = drawn([[x, y, radius, RED]], ink);
      for (let row = 0; row < 30; row++) {
        for (let column = 0; column < 40; column++) {
          const got = Array.from(rgba.slice(4 * (40 * row + column), 4 * (40 * row + column) + 4));
          const want = wanted(column, row, [x, y, radius, RED], ink) ?? [0, 0, 0, 0];
          expect(Math.abs(got[3]! - want[3]!)).toBeLessThanOrEqual(1);
          // Faint colours are kept in few steps: a step is as large as they are faint.
          const step = want[3]! > 0 ? 255 / want[3]! + 1 : 0;
          if (want[3]! <= 2) continue;
          for (const axis of [0, 1, 2]) expect(Math.abs(got[axis]! - want[axis]!)).toBeLessThanOrEqual(step);
        }
      }
    }
  });

  test("anywhere else in a pixel is off by an eighth of a pixel at most, and what is rounded", () => {
    const ink = { ...POINT, line: 0 };
    for (const shift of [0, 0.24, 0.26, 0.5, 0.77, 0.99]) {
      const rgba = drawn([[20 + shift, 15 + shift, 4, RED]], ink);
      let [weight, across] = [0, 0];
      for (let i = 3; i < rgba.length; i += 4) {
        weight += rgba[i]!;
        across += rgba[i]! * ((((i - 3) / 4) % 40) + 0.5);
      }
      expect(Math.abs(across / weight - (20 + shift))).toBeLessThan(0.15);
    }
  });

  test("at or beyond an edge shows the part that is inside, and wraps nowhere", () => {
    for (const [x, y] of [
      [0.125, 10.125],
      [39.875, 10.125],
      [20.125, -1.875],
      [38.875, 29.875],
      [-20, 10],
      [20, 400],
      [Number.NaN, 3],
    ] as const) {
      const rgba = drawn([[x, y, 3, RED]], POINT);
      for (let k = 0; k < 40 * 30; k++) {
        const want = wanted(k % 40, Math.floor(k / 40), [x, y, 3, RED], POINT)?.[3] ?? 0;
        expect(Math.abs(rgba[4 * k + 3]! - (want || 0))).toBeLessThanOrEqual(1);
      }
    }
  });
});

test("marks lie over each other in the order they come, half-clear ones let the lower through", () => {
  const at = 4 * (15 * 40 + 20);
  const over = drawn([[20.5, 15.5, 5, RED], [20.5, 15.5, 5, [0, 0, 255]]], POINT);
  expect(Array.from(over.slice(at, at + 4))).toEqual([0, 0, 255, 255]);
  const through = drawn([[20.5, 15.5, 5, RED], [20.5, 15.5, 5, [0, 0, 255]]], { ...POINT, alpha: 0.5 });
  const [red = 0, , blue = 0, alpha = 0] = through.slice(at, at + 4);
  // 200/4 and (255/2 + 20/4), over an alpha of 3/4.
  expect(Math.abs(red - 50 / 0.75)).toBeLessThan(2);
  expect(Math.abs(blue - (127.5 + 5) / 0.75)).toBeLessThan(2);
  expect(Math.abs(alpha - 191)).toBeLessThan(2);
});

test("a cleared picture is empty", () => {
  const pixmap = new Pixmap(8, 8);
  pixmap.dip(POINT);
  pixmap.stamp(4, 4, 2, ...RED);
  pixmap.clear();
  const rgba = new Uint8ClampedArray(256).fill(7);
  pixmap.write(rgba);
  expect(rgba.every((byte) => byte === 0)).toBe(true);
});
