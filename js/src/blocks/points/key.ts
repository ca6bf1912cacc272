/** The legend of a saved map, line by line: what colours, sizes and rings mean. A pen draws it or writes it as SVG. */

import type { Rect } from "../../kernel/canvas.ts";
import { type Lut, type Theme, unpackRgb } from "../../kernel/color.ts";
import { formatCount, formatValue } from "../../kernel/format.ts";
import { type ClassEntry, type Showing, picks, ringed, slotsOf } from "./cloud.ts";
import { AREA, type Looks, type Scale, colorName, scaleLut } from "./looks.ts";
import { shorten } from "./paint.ts";

/** What draws on a canvas or writes SVG. Colours are hex, lengths CSS px, y of a text its baseline. */
export interface Pen {
  text(words: string, x: number, y: number, fill: string, anchor?: "start" | "middle" | "end"): void;
  disc(x: number, y: number, radius: number, look: { fill?: string; stroke?: string; line?: number; alpha?: number }): void;
  box(x: number, y: number, width: number, height: number, fill: string): void;
}

export interface Tones {
  readonly ink: string;
  readonly quiet: string;
  readonly brand: string;
}

export interface Counts {
  readonly wrong: number;
  readonly selected: number;
}

/** What the marks beside the groups' colours mean; "unringed" has no mark. */
export const KINDS = ["wrong", "unringed", "selected", "rest", "hidden", "none"] as const;
export type Kind = (typeof KINDS)[number];

/** Draws one line of the legend, whose left end is at x and whose middle is at y. */
export type Line = (pen: Pen, x: number, y: number) => void;

export const KEY_WIDTH = 208;
export const KEY_LINE = 18;
const [TEXT, MARK, MOST_ROWS] = [20, 7, 40];
const COLUMNS = { n: 164, wrong: 204 };
export const BAR = { width: 176, height: 8 };
/** Of a point of the usual size. */
export const RADIUS = 2.75;
const LONGEST = 18;
const LONGEST_TITLE = 28;
/** Room for what is said without a mark. */
const LONGEST_WORDS = 48;
/** The key's example colour: the fifth class's, which stands well off ink and grey in both themes. */
export const EXAMPLE_CLASS = 4;

export const hex = (rgb: readonly number[]): string => `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

/** What the marks mean, as the legend beside the map and that of a saved one say it; "" for marks that are not there. */
export function keyWords(
  { cloud, grouped, color, missing }: Looks,
  { wrong, selected }: Counts,
  on: readonly boolean[],
  onlyWrong: boolean,
): Record<Kind, string> {
  const hides = onlyWrong || (!picks(grouped.classes.length) && !on.every(Boolean));
  const rings = ringed(wrong, cloud.n);
  const counted = (words: string, n: number): string => (n > 0 ? `${words} (${formatCount(n)})` : "");
  return {
    wrong: rings ? counted("wrong", wrong) : "",
    unringed: rings || wrong === 0 ? "" : `${formatCount(wrong)} of ${formatCount(cloud.n)} wrong: too many to ring`,
    selected: counted("selected", selected),
    rest: selected > 0 ? "not selected" : "",
    hidden: hides ? (onlyWrong ? "correct, or hidden" : "hidden") : "",
    // Where nobody has a value, no legend tells of values.
    none: color || grouped.classes.length > 0 ? counted("no value", missing) : "",
  };
}

/** What a legend is of. */
export interface Subject {
  readonly looks: Looks;
  readonly showing: Showing;
  readonly counts: Counts;
  /** Index of the sample looked at, null where that is not on the map. */
  readonly sample: number | null;
  /** Whether hidden points are drawn as specks. */
  readonly specks: boolean;
}

export function keyLines({ looks, showing, counts, sample, specks }: Subject, theme: Theme, tones: Tones): Line[] {
  const { on, onlyWrong, found } = showing;
  const { ink, quiet, brand } = tones;
  const example = theme.classes[EXAMPLE_CLASS] as string;
  const words = keyWords(looks, counts, on, onlyWrong);
  const line = (text: string, mark: Line): Line[] =>
    text ? [(pen, x, y) => (mark(pen, x + MARK, y), pen.text(text, x + TEXT, y + 4, ink))] : [];
  const dot = (fill: string, alpha = 1, radius = RADIUS + 0.5): Line => (pen, x, y) => pen.disc(x, y, radius, { fill, alpha });
  const ring = (stroke: string, width: number): Line => (pen, x, y) => {
    dot(example)(pen, x, y);
    pen.disc(x, y, RADIUS + 2.75, { stroke, line: width });
  };
  const matches = found ? found.reduce((sum, each) => sum + each, 0) : 0;
  const colors = looks.color ? barLines(looks.color, theme, tones) : groupLines(looks, on, theme, tones);
  return [
    ...colors,
    ...(colors.length > 0 ? [() => undefined] : []),
    ...line(words.none, dot(quiet)),
    ...line(words.wrong, ring(ink, 1.25)),
    ...(words.unringed ? [titleLine(words.unringed, ink, LONGEST_WORDS)] : []),
    ...line(words.selected, (pen, x, y) => pen.disc(x, y, RADIUS + 1.25, { fill: example, stroke: ink })),
    ...line(words.rest, dot(example, 0.5)),
    ...line(specks ? words.hidden : "", dot(ink, 0.3, 1.5)),
    ...line(matches ? `found (${formatCount(matches)})` : "", ring(brand, 2)),
    ...line(sample === null ? "" : `sample ${formatCount(sample)}`, ring(brand, 2)),
    ...(looks.size ? sizeLines(looks.size, tones) : []),
  ];
}

function groupLines({ grouped: { classes }, head }: Looks, on: readonly boolean[], theme: Theme, { ink, quiet }: Tones): Line[] {
  const shown = classes.flatMap((entry, k) => (on[k] && entry.n > 0 ? [{ ...entry, k }] : []));
  const row = ({ name, n, wrong }: ClassEntry, fill: string): Line => (pen, x, y) => {
    pen.disc(x + MARK, y, 5, { fill });
    pen.text(shorten(name, LONGEST), x + TEXT, y + 4, ink);
    pen.text(formatCount(n), x + COLUMNS.n, y + 4, ink, "end");
    pen.text(formatCount(wrong), x + COLUMNS.wrong, y + 4, ink, "end");
  };
  const sum = (name: string, entries: readonly ClassEntry[]): ClassEntry =>
    entries.reduce((all, { n, wrong }) => ({ name, n: all.n + n, wrong: all.wrong + wrong }), { name, n: 0, wrong: 0 });
  // Of many groups those that are not picked are grey.
  const grey = picks(classes.length) ? classes.filter((entry, k) => !on[k] && entry.n > 0) : [];
  const further = shown.slice(MOST_ROWS);
  const slots = slotsOf(on, theme.classes.length);
  const lines = [
    ...shown.slice(0, MOST_ROWS).map((entry) => row(entry, theme.classes[slots[entry.k] as number] as string)),
    ...(further.length ? [row(sum(`and ${formatCount(further.length)} more`, further), "none")] : []),
    ...(grey.length ? [row(sum(`${formatCount(grey.length)} not picked`, grey), quiet)] : []),
  ];
  if (lines.length === 0) return lines;
  const title: Line = (pen, x, y) => {
    titleLine(shorten(head, LONGEST), quiet)(pen, x, y);
    pen.text("n", x + COLUMNS.n, y + 4, quiet, "end");
    pen.text("wrong", x + COLUMNS.wrong, y + 4, quiet, "end");
  };
  return [title, ...lines];
}

/** The colours of a scale from its low end to its high one, two px each. */
export function drawRamp(pen: Pen, lut: Lut, { x, y, width, height }: Rect): void {
  for (let at = 0; at < width; at += 2) {
    const color = lut[Math.round((at / (width - 2)) * (lut.length - 1))] as number;
    // Each box reaches to the end, so that no seam shows between two.
    pen.box(x + at, y, width - at, height, hex(unpackRgb(color)));
  }
}

function barLines(scale: Scale, theme: Theme, { ink, quiet }: Tones): Line[] {
  const bar: Line = (pen, x, y) => drawRamp(pen, scaleLut(scale, theme), { x, y, ...BAR });
  const ends: Line = (pen, x, y) => {
    pen.text(formatValue(scale.low), x, y + 4, ink);
    pen.text(formatValue(scale.high), x + BAR.width, y + 4, ink, "end");
  };
  return [titleLine(colorName(scale), quiet), bar, ends];
}

function sizeLines({ name, low, high }: Scale, { ink, quiet }: Tones): Line[] {
  const ends: Line = (pen, x, y) => {
    pen.disc(x + MARK, y, RADIUS * Math.sqrt(AREA.least), { fill: quiet });
    pen.text(formatValue(low), x + TEXT, y + 4, ink);
    pen.disc(x + BAR.width / 2, y, RADIUS * Math.sqrt(AREA.most), { fill: quiet });
    pen.text(formatValue(high), x + BAR.width / 2 + TEXT - MARK, y + 4, ink);
  };
  return [() => undefined, titleLine(`Size: ${name}`, quiet), ends];
}

const titleLine =
  (name: string, fill: string, longest = LONGEST_TITLE): Line =>
  (pen, x, y) =>
    pen.text(shorten(name, longest), x, y + 4, fill);
