/**
 * Numbers as the views write them: U+202F between thousands and before units, a true minus.
 * nnwidgets/words.py does the same; tests/number_formats.json holds the cases of both.
 */

import { ELLIPSIS, MINUS, THIN } from "./looks.ts";

/** How a number is written, as blocks say it. */
export type NumberFormat = "number" | "count" | "share" | "loss" | "percent" | "signed";

function signed(value: number, digits: string): string {
  return value < 0 && /[1-9]/.test(digits) ? MINUS + digits : digits;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? `${MINUS}∞` : "∞";
  return undefined;
}

/** Thin spaces between the thousands of digits without a sign. */
function grouped(digits: string): string {
  const [whole = "", decimals] = digits.split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, THIN);
  return decimals === undefined ? spaced : `${spaced}.${decimals}`;
}

/** `1240` → "1 240". */
export function formatCount(value: number): string {
  return formatFixed(value, 0);
}

/** A fixed number of decimals: probability, share and correlation 2, loss 4. */
export function formatFixed(value: number, decimals: number): string {
  return special(value) ?? signed(value, grouped(Math.abs(value).toFixed(decimals)));
}

/** `digits` significant digits; `1.2e−5` below 0.001 and above 99 999; zero is "0". */
export function formatValue(value: number, digits = 3): string {
  const odd = special(value);
  if (odd !== undefined) return odd;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 0.001 || size > 99_999) {
    const [mantissa, exponent] = size.toExponential(1).split("e") as [string, string];
    return signed(value, `${mantissa}e${exponent.replace("+", "").replace("-", MINUS)}`);
  }
  const exponent = Number(size.toExponential(digits - 1).split("e")[1]);
  return formatFixed(value, Math.max(0, digits - 1 - exponent));
}

/** A share in per cent: one decimal under ten. */
export function formatPercent(value: number): string {
  const percent = 100 * value;
  return special(value) ?? `${formatFixed(percent, Math.abs(percent) < 9.95 ? 1 : 0)}${THIN}%`;
}

/** A value with its sign always shown: a change, or the end of a symmetric scale. */
export function formatSigned(value: number): string {
  return value > 0 ? `+${formatValue(value)}` : formatValue(value);
}

const FORMATS: Record<NumberFormat, (value: number) => string> = {
  number: formatValue,
  count: formatCount,
  share: (value) => formatFixed(value, 2),
  loss: (value) => formatFixed(value, 4),
  percent: formatPercent,
  signed: formatSigned,
};

/** A number as a block says it is to be written. */
export function formatAs(value: number, format: NumberFormat): string {
  return FORMATS[format](value);
}

/** A number at an axis: as short as it can be said. */
export function formatTick(value: number): string {
  const text = formatValue(value);
  return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
}

/** "1 map", "32 maps". */
export function plural(amount: number, noun: string): string {
  return `${formatCount(amount)} ${noun}${amount === 1 ? "" : "s"}`;
}

/** The text, or its beginning and end in `most` letters: what tells names apart often stands at their end. */
export function shortened(text: string, most: number): string {
  const letters = Array.from(text);
  if (letters.length <= most) return text;
  const tail = Math.floor((most - 1) / 2);
  return letters.slice(0, most - 1 - tail).join("") + ELLIPSIS + letters.slice(letters.length - tail).join("");
}

/** "0.4 s", "12 s", "2 min 14 s"; above an hour the clock time it was. */
export function formatAge(seconds: number, now: Date = new Date()): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)}${THIN}s`;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole}${THIN}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${THIN}min ${whole % 60}${THIN}s`;
  const then = new Date(now.getTime() - seconds * 1000);
  return `${String(then.getHours()).padStart(2, "0")}:${String(then.getMinutes()).padStart(2, "0")}`;
}

/** The age as a phrase: "0.4 s ago", "at 14:05". */
export function formatAgo(seconds: number, now: Date = new Date()): string {
  const age = formatAge(seconds, now);
  return seconds < 3600 ? `${age} ago` : `at ${age}`;
}

/** Plain digits for the clipboard. */
export function plainDigits(text: string): string {
  return text.replace(/\u202f(?=\d)/g, "").replaceAll(THIN, " ").replaceAll(MINUS, "-");
}
