/** Named values as horizontal bars, each a row of the page. */

import { cssColor, lookUp } from "../kernel/color.ts";
import { make, setHidden, setText, showRows, showText } from "../kernel/dom.ts";
import { formatAs, formatCount, shortened } from "../kernel/format.ts";
import type { MakeBlock } from "./block.ts";
import { bindCursor, placeOf, rectWithin } from "./cursor.ts";
import { makeNothing } from "./nothing.ts";
import type { BarsBlock } from "./types.ts";

/** Below this width, and where a name would be cut, names stand above their bars. */
const NARROW = 360;
/** Of a letter at 13 px. */
const LETTER = 7;
/** Of the width, for names beside their bars, as in bars.css. */
const NAMES_SHARE = 0.3;

/** One bar in words. */
export function barWords(data: BarsBlock, bar: number): string {
  const write = (value: number): string => formatAs(value, data.format);
  const value = data.values.data[bar] as number;
  const n = data.values.data.length;
  const ends = data.spread?.data;
  const interval = ends ? ` (${write(ends[bar] as number)} to ${write(ends[n + bar] as number)})` : "";
  return `${data.unit ? `${data.unit} ` : ""}${write(value)}${interval}`;
}

/** How far along the axis a value is, 0 to 1; ends and beyond are the ends. */
export function shareOf(data: BarsBlock, value: number): number {
  return Math.min(1, Math.max(0, (value - data.low) / (data.high - data.low)));
}

type Row = ReturnType<typeof makeRow>;

function makeRow(place: number) {
  const [name, value] = [make("span", "nnw-bars-name"), make("span", "nnw-bars-value")];
  const [fill, whisker] = [make("div", "nnw-bars-fill"), make("div", "nnw-bars-whisker")];
  const reference = make("div", "nnw-bars-reference");
  const element = make("div", "nnw-bars-row", name, make("div", "nnw-bars-track", fill, whisker, reference), value);
  element.role = "option";
  element.dataset["place"] = String(place);
  return { element, name, value, fill, whisker, reference };
}

function span(element: HTMLElement, from: number, to: number): void {
  const known = Number.isFinite(from) && Number.isFinite(to);
  setHidden(element, !known);
  if (!known) return;
  element.style.left = `${100 * Math.min(from, to)}%`;
  element.style.width = `${100 * Math.abs(to - from)}%`;
}

export const makeBars: MakeBlock<BarsBlock> = ({ panel, click }) => {
  const [list, foot, nothing] = [make("div", "nnw-bars-list"), make("div", "nnw-bars-foot nnw-small"), makeNothing()];
  const element = make("div", "nnw-bars", list, foot, nothing.element);
  const rows: Row[] = [];
  let data: BarsBlock | undefined;

  const barAt = (place: number): number => data!.places.data[place] as number;
  const refreshCursor = bindCursor(panel, list, {
    role: "listbox",
    count: () => data?.places.data.length ?? 0,
    at: (_x, _y, hit) => placeOf(hit),
    place(index) {
      const bar = barAt(index);
      const rect = rectWithin(rows[index]!.element, list);
      return { rect, text: `${data!.names[bar] ?? bar}: `, strong: barWords(data!, bar) };
    },
    item: (index) => rows[index]?.element,
    choose: (index) => click(barAt(index)),
  });

  function fill(row: Row, now: BarsBlock, bar: number): void {
    const value = now.values.data[bar] as number;
    const n = now.values.data.length;
    const base = shareOf(now, 0);
    row.element.ariaLabel = `${now.names[bar] ?? bar}: ${barWords(now, bar)}`;
    row.element.classList.toggle("nnw-bars-missing", !Number.isFinite(value));
    setText(row.value, formatAs(value, now.format));
    span(row.fill, base, Number.isFinite(value) ? shareOf(now, value) : Number.NaN);
    const [low, high] = [now.spread?.data[bar] ?? Number.NaN, now.spread?.data[n + bar] ?? Number.NaN];
    span(row.whisker, shareOf(now, low), shareOf(now, high));
    span(row.reference, shareOf(now, now.reference ?? Number.NaN), shareOf(now, now.reference ?? Number.NaN));
  }

  return {
    element,
    update(next) {
      data = next;
      const count = next.places.data.length;
      showRows(list, rows, count, makeRow);
      for (let i = 0; i < count; i++) fill(rows[i]!, next, barAt(i));
      list.ariaLabel = next.title || next.unit || "Bars";
      const reference =
        next.reference === undefined ? "" : `┆ ${next.reference_name} ${formatAs(next.reference, next.format)}`;
      const all = next.values.data.length;
      const first = all > count ? `first ${formatCount(count)} of ${formatCount(all)}` : "";
      nothing.show(count === 0, next.empty);
      showText(foot, count === 0 ? "" : [next.unit, reference, first].filter(Boolean).join(" · "));
    },
    draw(width, theme) {
      if (!data) return;
      const longest = Math.max(0, ...Array.from(data.places.data, (bar) => (data!.names[bar] ?? "").length));
      const above = width < NARROW || longest * LETTER > NAMES_SHARE * width;
      element.classList.toggle("nnw-bars-above", above);
      const letters = Math.max(8, Math.floor((above ? width - 72 : width * NAMES_SHARE) / LETTER));
      const color = cssColor(lookUp(theme.ink, 0.6, 0, 1));
      for (let i = 0; i < data.places.data.length; i++) {
        setText(rows[i]!.name, shortened(data.names[barAt(i)] ?? "", letters));
        rows[i]!.fill.style.background = color;
      }
      refreshCursor();
    },
  };
};
