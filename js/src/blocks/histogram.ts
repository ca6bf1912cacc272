/** A histogram: bins as bars on a canvas, counts in words, a switch to a log scale that stays as it is left. */

import { type Rect, prepareCanvas } from "../kernel/canvas.ts";
import { type Theme, cssColor, lookUp } from "../kernel/color.ts";
import { make, setHidden, setText } from "../kernel/dom.ts";
import { formatCount, formatTick, formatValue, plural } from "../kernel/format.ts";
import type { NdArray } from "../kernel/wire.ts";
import { AXIS_FONT, decades, drawAcross, drawUp, ticks } from "./axis.ts";
import type { MakeBlock } from "./block.ts";
import { Cursor } from "./cursor.ts";
import { makeNothing } from "./nothing.ts";
import { makeSwitch } from "./switch.ts";
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

/** Which bin a share of the axis lies in. */
export function binAt(edges: ArrayLike<number>, share: number): number | null {
  const last = edges.length - 1;
  const value = (edges[0] as number) + share * ((edges[last] as number) - (edges[0] as number));
  if (!(share >= 0 && share <= 1)) return null;
  let bin = 0;
  while (bin < last - 1 && value >= (edges[bin + 1] as number)) bin++;
  return bin;
}

/** The axis from the first to the last edge. */
export function axisOf(edges: ArrayLike<number>): { ends: [number, number]; share(value: number): number } {
  const [low, high] = [edges[0] as number, edges[edges.length - 1] as number];
  return { ends: [low, high], share: (value) => (value - low) / (high - low) };
}

/** What is in no bin, in words. */
export function leftOut(missing: number, outside: number): string {
  const parts = [];
  if (missing > 0) parts.push(`${plural(missing, "value")} not finite`);
  if (outside > 0) parts.push(`${plural(outside, "value")} outside`);
  return parts.join(", ");
}

export const makeHistogram: MakeBlock<HistogramBlock> = ({ panel, click }) => {
  const canvas = make("canvas");
  canvas.ariaHidden = "true";
  const plotted = make("div", "nnw-histogram-plot", canvas);
  const [legend, note, nothing] = [make("div", "nnw-histogram-legend"), make("span"), makeNothing()];
  const log = makeSwitch(panel, "log", "Counts on a log scale");
  const foot = make("div", "nnw-histogram-foot", legend, note, log.element);
  const element = make("div", "nnw-histogram", plotted, foot, nothing.element);
  let data: HistogramBlock | undefined;
  let totals: number[] = [];
  let plot: Rect = { x: 0, y: 0, width: 1, height: 1 };

  function rectOf(bin: number): Rect {
    const { share } = axisOf(data!.edges.data);
    const left = plot.x + share(data!.edges.data[bin] as number) * plot.width;
    const right = plot.x + share(data!.edges.data[bin + 1] as number) * plot.width;
    return { x: left, y: plot.y, width: right - left, height: plot.height };
  }

  const cursor = new Cursor(panel, plotted, {
    role: "listbox",
    count: () => (data && totals.some((total) => total > 0) ? totals.length : 0),
    columns: () => 1,
    at: (x) => (data ? binAt(data.edges.data, (x - plot.x) / plot.width) : null),
    place(bin) {
      const [text, strong] = binWords(data!, bin);
      return { rect: rectOf(bin), text, strong };
    },
    choose: (bin) => click(bin),
  });

  return {
    element,
    update(next) {
      if (!data) log.set(next.log);
      data = next;
      totals = binTotals(next.counts);
      const some = totals.some((total) => total > 0);
      const lost = leftOut(next.missing, next.outside);
      nothing.show(some ? "" : lost || next.empty);
      setHidden(plotted, !some);
      setHidden(foot, !some);
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
      if (context) paint(context, data, totals, plot, log.on(), theme);
      cursor.refresh();
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
  const { ends, share } = axisOf(edges.data);
  const toX = (value: number): number => plot.x + share(value) * plot.width;
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
  context.font = AXIS_FONT(theme);
  context.textBaseline = "bottom";
  context.textAlign = "center";
  for (const { value, text } of marks) {
    const x = toX(value);
    if (!(x >= plot.x && x <= plot.x + plot.width)) continue;
    context.strokeStyle = context.fillStyle = theme.text;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(Math.round(x) + 0.5, plot.y);
    context.lineTo(Math.round(x) + 0.5, plot.y + plot.height);
    context.stroke();
    context.fillText(text || formatTick(value), x, plot.y - 2);
  }
}
