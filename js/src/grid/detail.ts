/** The detail column: the input, what the model made of it, the selected unit enlarged, and the scale of all. */

import { type Rect, drawPixels, drawScale, prepareCanvas, rawPixels } from "../kernel/canvas.ts";
import { GREY, type Theme } from "../kernel/color.ts";
import { make, setHidden, setText } from "../kernel/dom.ts";
import { formatFixed, formatSigned, formatValue } from "../kernel/format.ts";
import type { Hit } from "../kernel/hover.ts";
import type { Frame, NdArray } from "../kernel/wire.ts";
import type { GridHeader } from "./header.ts";
import { cellAt, cellRect, wholeSize } from "./layout.ts";
import { isColor, reduceMaps, scaleOf, tilePixels } from "./paint.ts";
import { cellText } from "./tiles.ts";


/** What the column shows; `unit` holds one picture as (1, h, w) or (1, h, w, 3). */
export interface DetailData {
  header: GridHeader;
  input: NdArray | undefined;
  unit: NdArray | undefined;
  tile: number | null;
  title: string;
  facts: string;
  /** Nothing was computed yet. */
  empty: boolean;
}

export interface Detail {
  element: HTMLElement;
  unit: HTMLElement;
  draw(data: DetailData, theme: Theme): void;
  hit(x: number, y: number): Hit | null;
}

/** The unit that Python sent, or the one the user just chose with the words that are known here. */
export function detailOf(frame: Frame<GridHeader>, tile: number | null, chosen: boolean, noun: string): DetailData {
  const { header, arrays } = frame;
  const { detail: own, maps } = arrays;
  const base = { header, input: arrays.input, tile, empty: !maps && !arrays.rows };
  if (!chosen || tile === null || !maps) {
    const unit = own && { shape: [1, ...own.shape], data: own.data };
    return { ...base, unit, title: header.detail_title ?? "", facts: header.detail_facts ?? "" };
  }
  const size = maps.shape.slice(1).reduce((product, n) => product * n, 1);
  const unit = { shape: [1, ...maps.shape.slice(1)], data: maps.data.slice(tile * size, (tile + 1) * size) };
  const title = `${noun[0]?.toUpperCase()}${noun.slice(1)} ${header.tiles.labels[tile] ?? ""}`;
  return { ...base, unit, title, facts: isColor(maps) || header.scale.signed ? "" : factsOf(unit) };
}

function factsOf({ data }: NdArray): string {
  let [max, sum] = [Number.NEGATIVE_INFINITY, 0];
  for (const value of data) {
    max = Math.max(max, value);
    sum += value;
  }
  return `max ${formatValue(max)} · mean ${formatValue(sum / data.length)}`;
}

function label(): { element: HTMLElement; left: HTMLElement; right: HTMLElement } {
  const [left, right] = [make("span"), make("span", "nnw-strong")];
  return { element: make("div", "nnw-label", left, right), left, right };
}

/** Size and reduction of a picture (h, w) in a square. */
function fit(height: number, width: number, room: number): { frame: Rect; reduce: number } {
  const longer = Math.max(height, width, 1);
  const { size, reduce } = wholeSize(longer, room, 0.75 * room);
  const pixel = size / Math.ceil(longer / reduce);
  const frame = { x: 0, y: 0, width: Math.ceil(width / reduce) * pixel, height: Math.ceil(height / reduce) * pixel };
  return { frame, reduce };
}

function makePrediction(): { element: HTMLElement; update(rows: [string, number][]): void } {
  const list = make("div", "nnw-bars");
  const title = make("div", "nnw-label", make("span", "", "Prediction"));
  const element = make("div", "nnw-prediction", title, list);
  const rows = [0, 1, 2].map(() => {
    const [name, bar, value] = [make("span"), make("div", "nnw-bar", make("div")), make("span")];
    const row = make("div", "nnw-bar-row", name, bar, value);
    list.append(row);
    return { row, name, fill: bar.firstElementChild as HTMLElement, value };
  });
  return {
    element,
    update(prediction) {
      setHidden(element, prediction.length === 0);
      rows.forEach(({ row, name, fill, value }, i) => {
        const [words, p] = prediction[i] ?? ["", 0];
        setHidden(row, i >= prediction.length);
        setText(name, words);
        name.title = words;
        setText(value, formatFixed(p, 2));
        fill.style.width = `${100 * p}%`;
      });
    },
  };
}

function makeScaleBar(): { element: HTMLElement; draw(data: DetailData, theme: Theme): void } {
  const canvas = make("canvas");
  const [low, unit, high] = [make("span"), make("span"), make("span")];
  const element = make("div", "nnw-scale", canvas, make("div", "nnw-scale-ends", low, unit, high));
  return {
    element,
    draw({ header, tile, unit: picture, empty }, theme) {
      const { scale } = header;
      const { lo, hi, lut } = scaleOf(scale, tile ?? 0, theme);
      element.classList.toggle("nnw-unseen", empty);
      const context = prepareCanvas(canvas, 182, 8);
      if (context) drawScale(context, picture && isColor(picture) ? GREY : lut, { x: 0, y: 0, width: 182, height: 8 }, theme);
      setText(low, formatValue(lo));
      setText(unit, scale.signed ? `0 · ${scale.unit}` : scale.unit);
      setText(high, scale.signed ? formatSigned(hi) : formatValue(hi));
    },
  };
}

export function makeDetail(): Detail {
  const inputLabel = label();
  const inputCanvas = make("canvas");
  const input = make("div", "nnw-input", inputLabel.element, inputCanvas);
  const prediction = makePrediction();
  const unitLabel = label();
  const unitCanvas = make("canvas");
  const unitFrame = make("div", "nnw-unit-frame", unitCanvas);
  const unit = make("div", "nnw-unit", unitLabel.element, unitFrame);
  const bar = makeScaleBar();
  const sample = make("div", "nnw-sample", input, prediction.element);
  const element = make("div", "nnw-detail", sample, unit, bar.element);
  for (const canvas of [inputCanvas, unitCanvas]) canvas.setAttribute("role", "img");
  let shown: { maps: NdArray; frame: Rect; header: GridHeader } | undefined;

  function drawInput(picture: NdArray | undefined, title: string, theme: Theme): void {
    setHidden(input, !picture);
    if (!picture) return;
    setText(inputLabel.left, title);
    inputCanvas.setAttribute("aria-label", title);
    const color = picture.shape.length === 3;
    const [height, width] = picture.shape as [number, number];
    const { frame } = fit(height, width, input.clientWidth || 84);
    const context = prepareCanvas(inputCanvas, frame.width, frame.height);
    if (context) drawPixels(context, rawPixels(picture, 0, color ? 3 : 1), frame, theme);
  }

  return {
    element,
    unit: unitFrame,
    draw(data, theme) {
      const { header } = data;
      drawInput(data.input, header.input_title ?? "Input", theme);
      prediction.update(header.prediction ?? []);
      setHidden(sample, !data.input && !header.prediction?.length);
      setText(unitLabel.left, data.title);
      setText(unitLabel.right, data.facts);
      unitLabel.right.title = data.facts;
      unitCanvas.setAttribute("aria-label", `${data.title}, ${data.facts}`);
      bar.draw(data, theme);
      unitFrame.classList.toggle("nnw-dashed", data.empty);
      shown = undefined;
      setHidden(unitCanvas, !data.unit);
      if (!data.unit) return;
      const [, rows, columns] = data.unit.shape as [number, number, number];
      const { frame, reduce } = fit(rows, columns, unitFrame.clientWidth || 184);
      const maps = reduceMaps(data.unit, reduce);
      const context = prepareCanvas(unitCanvas, frame.width, frame.height);
      if (context) drawPixels(context, tilePixels(maps, 0, scaleOf(header.scale, data.tile ?? 0, theme)), frame, theme);
      shown = { maps, frame, header };
    },
    hit(x, y) {
      if (!shown) return null;
      const [, rows, columns] = shown.maps.shape as [number, number, number];
      const cell = cellAt(shown.frame, rows, columns, x, y);
      if (!cell) return null;
      return {
        tile: 0,
        cell: cellRect(shown.frame, rows, columns, cell),
        text: `row ${cell.row}, col ${cell.column} · `,
        strong: cellText(shown.maps, shown.header.scale, 0, cell.row, cell.column),
      };
    },
  };
}
