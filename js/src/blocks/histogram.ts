/** A histogram: bins as bars on a canvas, counts in words, a switch to a log scale that stays as it is left. */

import { type Rect, drawText, prepareCanvas } from "../kernel/canvas.ts";
import { type Theme, cssColor, lookUp } from "../kernel/color.ts";
import { make, setText } from "../kernel/dom.ts";
import { formatCount, formatTick, formatValue, plural } from "../kernel/format.ts";
import type { NdArray } from "../kernel/wire.ts";
import { binsOf, decades, drawAcross, drawUp, leftOut, ticks } from "./axis.ts";
import type { MakeBlock } from "./block.ts";
import { bindCursor } from "./cursor.ts";
import { makeNothing } from "./nothing.ts";
import { isOn, makeSwitch } from "./switch.ts";
import type { HistogramBlock } from "./types.ts";

const HEIGHT = 176;
const MARGIN = { top: 16, right: 8, bottom: 36, left: 44 };
/** A log scale begins here, so that a bin with one value can be seen. */
const FOOT = 0.5;

/** How many are in each bin, all groups together. */
export function binTotals({ shape, data }: NdArray): number[] {
  const [groups = 0, bins = 0] = shape;
  const totals = new Array<number>(bins).fill(0);
  for (let i = 0; i < groups * bins; i++) totals[i % bins]! += data[i] as number;
  return totals;
}

/** How high a count stands, 0 to 1. */
export function heightOf(count: number, most: number, log: boolean): number {
  if (!(most > 0) || count <= 0) return 0;
  return log ? Math.max(0, Math.log(count / FOOT) / Math.log(most / FOOT)) : count / most;
}

/** One bin in words. */
export function binWords({ counts, edges, names, unit }: HistogramBlock, bin: number): [string, string] {
  const [low, high] = [edges.data[bin] as number, edges.data[bin + 1] as number];
  const bins = counts.shape[1] ?? 0;
  const parts = names.map((name, group) => `${name} ${formatCount(counts.data[group * bins + bin] as number)}`);
  const total = binTotals(counts)[bin] ?? 0;
  const range = `${unit ? `${unit} ` : ""}${formatValue(low)} to ${formatValue(high)} · `;
  return [range, parts.length > 1 ? `${formatCount(total)}: ${parts.join(", ")}` : plural(total, "value")];
}

export const makeHistogram: MakeBlock<HistogramBlock> = ({ panel, click }) => {
  const canvas = make("canvas");
  canvas.ariaHidden = "true";
  const plotted = make("div", "nnw-histogram-plot", canvas);
  const [legend, note] = [make("div", "nnw-histogram-legend"), make("span")];
  const log = makeSwitch(panel, "log", "Counts on a log scale");
  const foot = make("div", "nnw-axis-foot nnw-small", legend, note, log);
  const nothing = makeNothing(plotted, foot);
  const element = make("div", "nnw-histogram", plotted, foot, nothing.element);
  let data: HistogramBlock | undefined;
  let totals: number[] = [];
  let plot: Rect = { x: 0, y: 0, width: 1, height: 1 };

  const refreshCursor = bindCursor(panel, plotted, {
    role: "listbox",
    count: () => (data && totals.some((total) => total > 0) ? totals.length : 0),
    at: (x) => (data ? binsOf(data.edges.data, plot).at(x) : null),
    place(bin) {
      const [text, strong] = binWords(data!, bin);
      return { rect: binsOf(data!.edges.data, plot).rect(bin), text, strong };
    },
    choose: (bin) => click(bin),
  });

  return {
    element,
    update(next) {
      if (!data) log.ariaPressed = String(next.log);
      data = next;
      totals = binTotals(next.counts);
      const lost = leftOut(next.missing, next.outside);
      nothing.show(!totals.some((total) => total > 0), lost || next.empty);
      setText(note, lost);
      plotted.ariaLabel = `${next.title || next.unit || "Histogram"}: ${totals.length} bins, ${plural(sum(totals), "value")}`;
    },
    draw(width, theme) {
      if (!data || totals.length === 0) return;
      plot = {
        x: MARGIN.left,
        y: MARGIN.top,
        width: Math.max(1, width - MARGIN.left - MARGIN.right),
        height: HEIGHT - MARGIN.top - MARGIN.bottom,
      };
      showLegend(legend, data.names, theme);
      const context = prepareCanvas(canvas, width, HEIGHT);
      if (context) paint(context, data, totals, plot, isOn(log), theme);
      refreshCursor();
    },
  };
};

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

function showLegend(legend: HTMLElement, names: readonly string[], theme: Theme): void {
  const keys = names.map((name, group) => {
    const swatch = make("span", "nnw-histogram-swatch");
    swatch.style.background = groupColor(group, theme);
    return make("span", "nnw-histogram-key", swatch, name);
  });
  legend.replaceChildren(...keys);
}

const groupColor = (group: number, theme: Theme): string => theme.classes[group % theme.classes.length]!;

function paint(
  context: CanvasRenderingContext2D,
  { counts, edges, names, marks, unit }: HistogramBlock,
  totals: readonly number[],
  plot: Rect,
  log: boolean,
  theme: Theme,
): void {
  const most = Math.max(...totals);
  const { ends, toX } = binsOf(edges.data, plot);
  const toY = (count: number): number => plot.y + (1 - heightOf(count, most, log)) * plot.height;
  drawUp(context, plot, log ? decades(most) : ticks(0, most, 4).filter(Number.isInteger), toY, theme);
  drawAcross(context, plot, ends, unit, theme);
  const bins = totals.length;
  const plain = cssColor(lookUp(theme.ink, 0.6, 0, 1));
  for (let bin = 0; bin < bins; bin++) {
    const [left, right] = [toX(edges.data[bin] as number), toX(edges.data[bin + 1] as number)];
    const gap = right - left > 4 ? 1 : 0;
    let below = 0;
    for (let group = 0; group * bins < counts.data.length; group++) {
      const above = below + (counts.data[group * bins + bin] as number);
      const [top, bottom] = [toY(above), toY(below)];
      context.fillStyle = names.length > 0 ? groupColor(group, theme) : plain;
      // A bin that is not empty is never invisible.
      if (above > below) context.fillRect(left, Math.min(top, bottom - 1), Math.max(1, right - left - gap), Math.max(1, bottom - top));
      below = above;
    }
  }
  drawMarks(context, marks, plot, toX, theme);
}

function drawMarks(
  context: CanvasRenderingContext2D,
  marks: HistogramBlock["marks"],
  plot: Rect,
  toX: (value: number) => number,
  theme: Theme,
): void {
  for (const { value, text } of marks) {
    const x = toX(value);
    if (!(x >= plot.x && x <= plot.x + plot.width)) continue;
    context.strokeStyle = theme.text;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(Math.round(x) + 0.5, plot.y);
    context.lineTo(Math.round(x) + 0.5, plot.y + plot.height);
    context.stroke();
    drawText(context, text || formatTick(value), x, plot.y - 2, theme, theme.text, "center", "bottom");
  }
}
