/** A matrix with names at its sides: numbers in the cells while those have room, else colours, names by pointer or keys. */

import { type Rect, drawPixels, drawScale, mapPixels, prepareCanvas } from "../kernel/canvas.ts";
import type { Lut, Theme } from "../kernel/color.ts";
import { make, setText } from "../kernel/dom.ts";
import { formatAs, formatPercent, formatSigned, formatValue, shortened } from "../kernel/format.ts";
import type { NdArray } from "../kernel/wire.ts";
import { AXIS_FONT } from "./axis.ts";
import type { MakeBlock } from "./block.ts";
import { bindCursor } from "./cursor.ts";
import { makeNothing } from "./nothing.ts";
import type { MatrixBlock } from "./types.ts";

const TALLEST = 440;
const LARGEST_CELL = 64;
/** Smaller cells are drawn in blocks of several. */
const LEAST_CELL = 4;
const GUTTER = { most: 104, least: 24, letters: 16 };
const TITLE = 18;
const [LINE, PAD] = [12, 6];

export interface Layout {
  plot: Rect;
  /** Cells that one block on the screen stands for, along each side. */
  factor: number;
  /** Blocks along each side. */
  rows: number;
  columns: number;
  /** Side of a block. */
  size: number;
  height: number;
}

/** Where the cells are at a width, beside `left` px of names and above `below` px of them. */
export function layoutMatrix(width: number, [rows, columns]: readonly [number, number], left: number, below: number): Layout {
  const cell = Math.min(LARGEST_CELL, (width - left - 1) / columns, TALLEST / rows);
  const factor = cell >= LEAST_CELL ? 1 : Math.ceil(LEAST_CELL / cell);
  const [blockRows, blockColumns] = [Math.ceil(rows / factor), Math.ceil(columns / factor)];
  const size = factor === 1 && cell >= 8 ? Math.floor(cell) : cell * factor;
  const plot = { x: left, y: LINE / 2, width: size * blockColumns, height: size * blockRows };
  return { plot, factor, rows: blockRows, columns: blockColumns, size, height: plot.y + plot.height + below + 1 };
}

/** What the colours show: the values, or their shares of their row or column. */
export function colouredOf({ values, shares }: MatrixBlock): Float32Array<ArrayBuffer> {
  const [rows = 0, columns = 0] = values.shape;
  if (!shares) return Float32Array.from(values.data);
  const of = (i: number): number => (shares === "row" ? Math.floor(i / columns) : i % columns);
  const sums = new Float64Array(shares === "row" ? rows : columns);
  values.data.forEach((value: number, i: number) => (sums[of(i)]! += value));
  return Float32Array.from(values.data, (value, i) => (sums[of(i)] === 0 ? 0 : value / sums[of(i)]!));
}

export interface Blocks {
  /** What colours a block, (rows, columns); NaN is hatched. */
  shown: NdArray;
  /** The cell that a block speaks for: the one farthest from zero. */
  cells: Int32Array;
}

/** Each block as its cell farthest from zero, so that no single cell vanishes; the diagonal counts as nothing. */
export function poolMatrix(colored: Float32Array, shape: readonly [number, number], factor: number, diagonal: boolean): Blocks {
  const [rows, columns] = shape;
  const [blockRows, blockColumns] = [Math.ceil(rows / factor), Math.ceil(columns / factor)];
  const data = new Float32Array(blockRows * blockColumns);
  const cells = new Int32Array(blockRows * blockColumns).fill(-1);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const block = Math.floor(row / factor) * blockColumns + Math.floor(column / factor);
      const value = colored[row * columns + column]!;
      const counted = diagonal && row === column && Number.isFinite(value) ? 0 : value;
      const first = cells[block] === -1;
      // Not a number is farther from zero than any.
      if (first || Math.abs(counted) > Math.abs(data[block]!) || (Number.isNaN(counted) && !Number.isNaN(data[block]!))) {
        data[block] = counted;
        cells[block] = row * columns + column;
      }
    }
  }
  return { shown: { shape: [blockRows, blockColumns], data }, cells };
}

/** One cell in words. */
export function matrixWords(data: MatrixBlock, colored: ArrayLike<number>, cell: number): [string, string] {
  const { values, shares, format, unit } = data;
  const [rows = 0, columns = 0] = values.shape;
  const [row, column] = [Math.floor(cell / columns), cell % columns];
  const name = (title: string, of: string | undefined, otherwise: number): string => `${title ? `${title} ` : ""}${of ?? otherwise}`;
  const place = `${name(data.row_title, data.rows[row], row)}, ${name(data.column_title, data.columns[column], column)} · `;
  const value = formatAs(values.data[cell] as number, format);
  if (!shares) return [place, unit ? `${value} ${unit}` : value];
  let sum = 0;
  if (shares === "row") for (let k = 0; k < columns; k++) sum += values.data[row * columns + k] as number;
  else for (let k = 0; k < rows; k++) sum += values.data[k * columns + column] as number;
  return [place, `${value} of ${formatAs(sum, format)} (${formatPercent(colored[cell] as number)})`];
}

export const makeMatrix: MakeBlock<MatrixBlock> = ({ panel, click }) => {
  const [canvas, scale] = [make("canvas"), make("canvas", "nnw-matrix-scale")];
  canvas.ariaHidden = scale.ariaHidden = "true";
  const plotted = make("div", "nnw-matrix-plot", canvas);
  const [low, unit, high, note] = [make("span"), make("span"), make("span"), make("div", "nnw-matrix-note")];
  const key = make("div", "nnw-matrix-key", scale, make("div", "nnw-matrix-ends", low, unit, high));
  const foot = make("div", "nnw-matrix-foot nnw-small", key, note);
  const nothing = makeNothing(plotted, foot);
  const element = make("div", "nnw-matrix", plotted, foot, nothing.element);
  let data: MatrixBlock | undefined;
  let colored: Float32Array<ArrayBuffer> = new Float32Array(0);
  let layout = layoutMatrix(1, [1, 1], 0, 0);
  let blocks: Blocks = { shown: { shape: [0, 0], data: new Float32Array(0) }, cells: new Int32Array(0) };

  const cellOf = (block: number): number => blocks.cells[block]!;
  const refreshCursor = bindCursor(panel, plotted, {
    role: "grid",
    count: () => blocks.cells.length,
    columns: () => layout.columns,
    at(x, y) {
      const [row, column] = [Math.floor((y - layout.plot.y) / layout.size), Math.floor((x - layout.plot.x) / layout.size)];
      const inside = row >= 0 && row < layout.rows && column >= 0 && column < layout.columns;
      return inside ? row * layout.columns + column : null;
    },
    place(block) {
      const { plot, size, columns, factor } = layout;
      const [text, strong] = matrixWords(data!, colored, cellOf(block));
      const rect = { x: plot.x + (block % columns) * size, y: plot.y + Math.floor(block / columns) * size, width: size, height: size };
      return { rect, text: factor > 1 ? `largest of ${factor} × ${factor}: ${text}` : text, strong };
    },
    choose(block) {
      const columns = data!.values.shape[1]!;
      click([Math.floor(cellOf(block) / columns), cellOf(block) % columns]);
    },
  });

  return {
    element,
    update(next) {
      data = next;
      colored = colouredOf(next);
      const [rows = 0, columns = 0] = next.values.shape;
      nothing.show(rows * columns === 0, next.empty);
      plotted.ariaLabel = `${next.title || next.unit || "Matrix"}: ${rows} rows, ${columns} columns`;
      plotted.ariaRowCount = String(rows);
      plotted.ariaColCount = String(columns);
      setText(low, next.low < 0 ? formatValue(next.low) : "0");
      setText(high, next.low < 0 ? formatSigned(next.high) : formatValue(next.high));
      setText(unit, next.shares ? `share of ${next.shares}` : next.unit);
    },
    draw(width, theme) {
      if (!data || colored.length === 0) return;
      const shape = data.values.shape as [number, number];
      const context = canvas.getContext("2d");
      const gutter = namesWidth(context, data.rows, theme) + (data.row_title ? TITLE : 0);
      const upright = namesWidth(context, data.columns, theme);
      const guess = layoutMatrix(width, shape, gutter, 0);
      const flat = upright + 4 <= guess.size / guess.factor;
      layout = layoutMatrix(width, shape, gutter, (flat ? LINE + PAD : upright + PAD) + (data.column_title ? TITLE : 0));
      blocks = poolMatrix(colored, shape, layout.factor, data.diagonal);
      const squares = `each square the largest of ${layout.factor} × ${layout.factor} cells`;
      const notes = [data.diagonal ? "colours without the diagonal" : "", layout.factor > 1 ? squares : ""];
      setText(note, notes.filter(Boolean).join(" · "));
      const lut = data.low < 0 ? theme.diverging : theme.ink;
      const ready = prepareCanvas(canvas, width, layout.height);
      if (ready) paint(ready, data, { layout, blocks, colored, flat, lut }, theme);
      const bar = prepareCanvas(scale, 182, 8);
      if (bar) drawScale(bar, lut, { x: 0, y: 0, width: 182, height: 8 }, theme);
      refreshCursor();
    },
  };
};

/** Room for the longest of the names, shortened. */
function namesWidth(context: CanvasRenderingContext2D | null, names: readonly string[], theme: Theme): number {
  if (!context) return GUTTER.most;
  context.font = AXIS_FONT(theme);
  const widest = names.reduce((most, name) => Math.max(most, context.measureText(shortened(name, GUTTER.letters)).width), 0);
  return Math.min(GUTTER.most, Math.max(GUTTER.least, Math.ceil(widest) + PAD));
}

interface Drawing {
  layout: Layout;
  blocks: Blocks;
  colored: Float32Array;
  /** Column names stand side by side, not upright. */
  flat: boolean;
  lut: Lut;
}

function paint(context: CanvasRenderingContext2D, data: MatrixBlock, drawing: Drawing, theme: Theme): void {
  const { layout, blocks, lut } = drawing;
  const { plot } = layout;
  drawPixels(context, mapPixels(blocks.shown, 0, { lo: data.low, hi: data.high, lut }), plot, theme);
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.strokeRect(plot.x - 0.5, plot.y - 0.5, plot.width + 1, plot.height + 1);
  if (data.diagonal) drawDiagonal(context, layout, theme);
  if (layout.factor === 1) drawNumbers(context, data, drawing, theme);
  drawNames(context, data, drawing, theme);
}

function drawDiagonal(context: CanvasRenderingContext2D, { plot, size, factor, rows }: Layout, theme: Theme): void {
  context.strokeStyle = factor > 1 || size < 12 ? theme.line : theme.text2;
  context.beginPath();
  if (factor > 1 || size < 12) {
    context.moveTo(plot.x, plot.y);
    context.lineTo(plot.x + plot.width, plot.y + plot.height);
  } else {
    for (let i = 0; i < rows; i++) context.rect(plot.x + i * size + 0.5, plot.y + i * size + 0.5, size - 1, size - 1);
  }
  context.stroke();
}

/** Numbers in all cells, or in none. */
function drawNumbers(context: CanvasRenderingContext2D, data: MatrixBlock, drawing: Drawing, theme: Theme): void {
  const { layout: { plot, size, columns, rows }, blocks: { shown } } = drawing;
  if (size < 20) return;
  context.font = AXIS_FONT(theme);
  const texts = Array.from(data.values.data, (value) => formatAs(value as number, data.format));
  if (texts.some((text) => context.measureText(text).width > size - 4)) return;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let i = 0; i < rows * columns; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const expected = data.diagonal && row === column;
    const strong = Math.abs(shown.data[i] as number) > 0.55 * data.high;
    context.font = `${expected ? "600 " : ""}${AXIS_FONT(theme)}`;
    context.fillStyle = strong ? theme.ground : theme.text;
    context.fillText(texts[i]!, plot.x + (column + 0.5) * size, plot.y + (row + 0.5) * size);
  }
}

function drawNames(context: CanvasRenderingContext2D, data: MatrixBlock, { layout, flat }: Drawing, theme: Theme): void {
  const { plot, size, factor } = layout;
  const cell = size / factor;
  // Where cells are lower than a line, some names stand for their neighbours.
  const every = Math.max(1, Math.ceil(LINE / cell));
  context.font = AXIS_FONT(theme);
  context.fillStyle = theme.text2;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (let row = 0; row < data.rows.length; row += every) {
    context.fillText(shortened(data.rows[row]!, GUTTER.letters), plot.x - PAD, plot.y + (row + 0.5) * cell);
  }
  const bottom = plot.y + plot.height + PAD;
  context.textAlign = flat ? "center" : "right";
  for (let column = 0; column < data.columns.length; column += every) {
    const [x, text] = [plot.x + (column + 0.5) * cell, shortened(data.columns[column]!, GUTTER.letters)];
    if (flat) context.fillText(text, x, bottom + LINE / 2);
    else turned(context, x, bottom, () => context.fillText(text, 0, 0));
  }
  context.fillStyle = theme.text;
  context.textAlign = "center";
  if (data.column_title) context.fillText(data.column_title, plot.x + plot.width / 2, layout.height - TITLE / 2);
  if (data.row_title) turned(context, TITLE / 2, plot.y + plot.height / 2, () => context.fillText(data.row_title, 0, 0));
}

/** Draws with the text running upwards. */
function turned(context: CanvasRenderingContext2D, x: number, y: number, draw: () => void): void {
  context.save();
  context.translate(x, y);
  context.rotate(-Math.PI / 2);
  draw();
  context.restore();
}
