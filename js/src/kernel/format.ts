/** Numbers as the views write them: U+202F between thousands and before units, a true minus. */

const THIN = "\u202f";
const MINUS = "\u2212";

function signed(value: number, digits: string): string {
  return value < 0 && /[1-9]/.test(digits) ? MINUS + digits : digits;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? `${MINUS}∞` : "∞";
  return undefined;
}

/** `1240` → "1 240". */
export function formatCount(value: number): string {
  const digits = String(Math.abs(Math.round(value))).replace(/\B(?=(\d{3})+$)/g, THIN);
  return signed(value, digits);
}

/** A fixed number of decimals: probability, share and correlation 2, loss 4. */
export function formatFixed(value: number, decimals: number): string {
  return special(value) ?? signed(value, Math.abs(value).toFixed(decimals));
}

/** Three significant digits; `1.2e−5` below 0.001 and above 99 999; zero is "0". */
export function formatValue(value: number): string {
  const odd = special(value);
  if (odd !== undefined) return odd;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 0.001 || size > 99_999) {
    const [mantissa, exponent] = size.toExponential(1).split("e") as [string, string];
    return signed(value, `${mantissa}e${exponent.replace("+", "").replace("-", MINUS)}`);
  }
  return size >= 999.5 ? formatCount(value) : signed(value, size.toPrecision(3));
}

/** A value with its sign always shown: the ends of a symmetric scale. */
export function formatSigned(value: number): string {
  return value > 0 ? `+${formatValue(value)}` : formatValue(value);
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
