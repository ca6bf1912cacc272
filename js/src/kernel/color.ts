/** Colour maps, palettes and the theme. Values become colours here and nowhere else; looks.ts has the colours. */

import { CLASSES, DIVERGING, GAINED, GROUND, HEAT_DARKENS, INK, LOST } from "./looks.ts";

export { GAINED, LOST };

/** 257 colours as they lie in an ImageData, 0xAABBGGRR: anchors fall on entries, and entry 128 is the true middle. */
export type Lut = Uint32Array;
export type Rgb = readonly [number, number, number];

export function parseHex(hex: string): Rgb {
  const value = Number.parseInt(hex, 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

const toLinear = (channel: number): number => {
  const c = channel / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
};
const fromLinear = (c: number): number => {
  const clipped = Math.min(1, Math.max(0, c));
  return Math.round(255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055));
};

/** sRGB to OKLab (Ottosson 2020). */
export function toOklab(rgb: Rgb): Rgb {
  const [r, g, b] = [toLinear(rgb[0]), toLinear(rgb[1]), toLinear(rgb[2])];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** OKLab to sRGB, clipped to the gamut. */
export function fromOklab([lightness, a, b]: Rgb): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    fromLinear(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    fromLinear(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    fromLinear(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

export const packRgb = ([r, g, b]: Rgb): number => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
export const unpackRgb = (packed: number): Rgb => [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255];
export const cssColor = (packed: number): string =>
  `rgb(${packed & 255} ${(packed >> 8) & 255} ${(packed >> 16) & 255})`;

const STEPS = 256;

/** A map through nine anchors, interpolated in OKLab. */
export function makeLut(anchors: string): Lut {
  const stops = anchors.split(" ").map((hex) => toOklab(parseHex(hex)));
  return Uint32Array.from({ length: STEPS + 1 }, (_, i) => {
    const at = (i / STEPS) * (stops.length - 1);
    const left = Math.min(Math.floor(at), stops.length - 2);
    const [p, q, t] = [stops[left] as Rgb, stops[left + 1] as Rgb, at - left];
    const mix = (k: 0 | 1 | 2): number => p[k] * (1 - t) + q[k] * t;
    return packRgb(fromOklab([mix(0), mix(1), mix(2)]));
  });
}

/** Black to white, for colour pictures: their zero is mid grey. */
export const GREY: Lut = Uint32Array.from({ length: STEPS + 1 }, (_, i) => {
  const level = Math.min(255, i);
  return packRgb([level, level, level]);
});

/** The colour of a value between the scale's ends; outside it is clipped. Not for NaN. */
export function lookUp(lut: Lut, value: number, lo: number, hi: number): number {
  const share = hi > lo ? (value - lo) / (hi - lo) : 0;
  return lut[Math.round(Math.min(1, Math.max(0, share)) * STEPS)] as number;
}

/** A picture's grey (0–255) under heat: orange where `share` > 0 was lost, blue where it was gained; |share| ≤ 1. */
export function heatColor(grey: number, share: number, opacity: number): number {
  const base = grey * (1 - HEAT_DARKENS * opacity);
  const tint = share < 0 ? GAINED : LOST;
  const alpha = Math.min(1, Math.abs(share)) * opacity;
  const mix = (k: 0 | 1 | 2): number => Math.round(base * (1 - alpha) + tint[k] * alpha);
  return packRgb([mix(0), mix(1), mix(2)]);
}

export interface Theme {
  dark: boolean;
  ground: string;
  text: string;
  text2: string;
  brand: string;
  flag: string;
  error: string;
  line: string;
  surface: string;
  behind: string;
  font: string;
  ink: Lut;
  diverging: Lut;
  /** The same maps for marks on the ground, without the ground's own colour: no mark may vanish in it. */
  markInk: Lut;
  markDiverging: Lut;
  /** Ten colours; repeat them above ten classes. */
  classes: readonly string[];
}

const luts = new Map<string, Lut>();
function cachedLut(anchors: string): Lut {
  const lut = luts.get(anchors) ?? makeLut(anchors);
  luts.set(anchors, lut);
  return lut;
}

const offGround = (anchors: string, ground: string): string =>
  anchors
    .split(" ")
    .filter((anchor) => `#${anchor}` !== ground)
    .join(" ");

/** Whether the host is dark: JupyterLab's mark on `body`, elsewhere the system's wish. */
function isDark(): boolean {
  const mark = document.body.dataset.jpThemeLight;
  return mark === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : mark === "false";
}

/** The colours in force at an element, read when they are needed. */
export function readTheme(element: Element): Theme {
  const style = getComputedStyle(element);
  const read = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  const dark = isDark();
  const side = dark ? "dark" : "light";
  const ground = GROUND[side];
  return {
    dark,
    ground,
    text: read("--nnw-text", dark ? "#dedede" : "#212121"),
    text2: read("--nnw-text2", "#757575"),
    brand: read("--nnw-brand", "#1976d2"),
    flag: read("--nnw-flag", "#e65100"),
    error: read("--nnw-error", "#d32f2f"),
    line: read("--nnw-line", "#e0e0e0"),
    surface: read("--nnw-surface", dark ? "#212121" : "#ffffff"),
    behind: read("--nnw-behind", dark ? "#111111" : "#ffffff"),
    font: read("--nnw-font", "system-ui, sans-serif"),
    ink: cachedLut(INK[side]),
    diverging: cachedLut(DIVERGING[side]),
    markInk: cachedLut(offGround(INK[side], ground)),
    markDiverging: cachedLut(offGround(DIVERGING[side], ground)),
    classes: CLASSES[side].split(" ").map((hex) => `#${hex}`),
  };
}
