/** Histograms behind each other, the last in front: where values went from row to row. */

import { type Rect, drawText, prepareCanvas } from "../kernel/canvas.ts";
import type { Theme } from "../kernel/color.ts";
import { make, setText } from "../kernel/dom.ts";
import { formatCount, formatValue, plural, shortened } from "../kernel/format.ts";
import { rowOf } from "../kernel/wire.ts";
import { binsOf, drawAcross, leftOut } from "./axis.ts";
import type { MakeBlock } from "./block.ts";
import { bindCursor } from "./cursor.ts";
import { makeNothing } from "./nothing.ts";
import { isOn, makeSwitch } from "./switch.ts";
import type { RidgesBlock } from "./types.ts";

const MARGIN = { top: 28, right: 8, bottom: 36, left: 64 };
const PITCH = { least: 10, most: 28 };
const LARGEST = 360;
/** How far a ridge reaches over those behind it. */
const OVERLAP = 1.6;
const LETTERS = 9;

/** One bin of one row in words. */
export function ridgeWords({ counts, edges, names, unit, row_title }: RidgesBlock, row: number, bin: number): [string, string] {
  const bins = counts.shape[1] ?? 0;
  const [low, high] = [edges.data[bin] as number, edges.data[bin + 1] as number];
  const where = `${row_title ? `${row_title} ` : ""}${names[row] ?? row}`;
  const value = counts.data[row * bins + bin] as number;
  const text = Number.isInteger(value) ? formatCount(value) : formatValue(value);
  return [`${where} · ${unit ? `${unit} ` : ""}${formatValue(low)} to ${formatValue(high)} · `, text];
}

export const makeRidges: MakeBlock<RidgesBlock> = ({ panel, click }) => {
  const canvas = make("canvas");
  canvas.ariaHidden = "true";
  const plotted = make("div", "nnw-ridges-plot", canvas);
  const note = make("span");
  const together = makeSwitch(panel, "one scale", "All rows on one scale, not each on its own");
  const foot = make("div", "nnw-axis-foot nnw-small", note, together);
  const nothing = makeNothing(plotted, foot);
  const element = make("div", "nnw-ridges", plotted, foot, nothing.element);
  let data: RidgesBlock | undefined;
  let plot: Rect = { x: 0, y: 0, width: 1, height: 1 };

  const [rows, bins] = [() => data?.counts.shape[0] ?? 0, () => data?.counts.shape[1] ?? 0];
  const pitch = (): number => plot.height / Math.max(1, rows());

  const refreshCursor = bindCursor(panel, plotted, {
    role: "grid",
    count: () => rows() * bins(),
    columns: bins,
    at(x, y) {
      const bin = data ? binsOf(data.edges.data, plot).at(x) : null;
      const row = Math.floor((y - plot.y) / pitch());
      return bin === null || row < 0 || row >= rows() ? null : row * bins() + bin;
    },
    place(index) {
      const [row, bin] = [Math.floor(index / bins()), index % bins()];
      const [text, strong] = ridgeWords(data!, row, bin);
      const rect = { ...binsOf(data!.edges.data, plot).rect(bin), y: plot.y + row * pitch(), height: pitch() };
      return { rect, text, strong };
    },
    choose: (index) => click([Math.floor(index / bins()), index % bins()]),
  });

  return {
    element,
    update(next) {
      if (!data) together.ariaPressed = String(next.together);
      data = next;
      const lost = leftOut(next.missing, 0);
      nothing.show(!next.counts.data.some((count) => count > 0), lost || next.empty);
      setText(note, lost);
      plotted.ariaLabel = `${next.title || next.unit || "Ridges"}: ${plural(rows(), "row")} of ${plural(bins(), "bin")}`;
      plotted.ariaRowCount = String(rows());
      plotted.ariaColCount = String(bins());
    },
    draw(width, theme) {
      if (!data || rows() === 0) return;
      const step = Math.min(PITCH.most, Math.max(PITCH.least, LARGEST / rows()));
      const across = Math.max(1, width - MARGIN.left - MARGIN.right);
      plot = { x: MARGIN.left, y: MARGIN.top, width: across, height: step * rows() };
      const context = prepareCanvas(canvas, width, MARGIN.top + plot.height + MARGIN.bottom);
      if (context) paint(context, data, plot, isOn(together), theme);
      refreshCursor();
    },
  };
};

function paint(context: CanvasRenderingContext2D, data: RidgesBlock, plot: Rect, together: boolean, theme: Theme): void {
  const { counts, edges, names, unit } = data;
  const [rows = 0, bins = 0] = counts.shape;
  const axis = binsOf(edges.data, plot);
  const pitch = plot.height / rows;
  const toX = (bin: number): number => axis.toX(edges.data[bin] as number);
  const row = (k: number): number[] => Array.from(rowOf(counts, k), (value) => Math.max(0, value) || 0);
  const highest = Array.from(counts.data).reduce((most, count) => (count > most ? count : most), 0) || 1;
  const front = data.highlight ?? rows - 1;
  const every = Math.ceil(14 / pitch);
  drawAcross(context, plot, axis.ends, unit, theme);
  for (let k = 0; k < rows; k++) {
    const values = row(k);
    const peak = together ? highest : Math.max(...values) || 1;
    const floor = plot.y + (k + 1) * pitch;
    const toY = (bin: number): number => floor - (values[bin]! / peak) * OVERLAP * pitch;
    context.beginPath();
    context.moveTo(plot.x, floor);
    for (let bin = 0; bin < bins; bin++) {
      context.lineTo(toX(bin), toY(bin));
      context.lineTo(toX(bin + 1), toY(bin));
    }
    context.lineTo(plot.x + plot.width, floor);
    context.fillStyle = theme.surface;
    context.fill();
    context.strokeStyle = k === front ? theme.brand : theme.text2;
    context.lineWidth = k === front ? 2 : 1;
    context.stroke();
    if (k % every !== 0 && k !== front) continue;
    const color = k === front ? theme.text : theme.text2;
    drawText(context, shortened(names[k] ?? "", LETTERS), plot.x - 8, floor - pitch / 2, theme, color, "right");
  }
}
