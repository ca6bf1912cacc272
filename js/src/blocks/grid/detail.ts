/** The detail column: the input, what the model made of it, the selected unit enlarged, and the scale of all. */

import { type Rect, drawPixels, drawScale, prepareCanvas, rawPixels } from "../../kernel/canvas.ts";
import { GREY, type Theme } from "../../kernel/color.ts";
import { make, setHidden, setText } from "../../kernel/dom.ts";
import { formatFixed, formatSigned, formatValue, shortened } from "../../kernel/format.ts";
import type { Hit } from "../../kernel/hover.ts";
import { type NdArray, type Values, rowOf } from "../../kernel/wire.ts";
import type { GridBlock } from "../types.ts";
import { labelOf } from "./data.ts";
import { cellAt, cellRect, wholeSize } from "./layout.ts";
import { isColor, reduceMaps, scaleOf, tilePixels } from "./paint.ts";
import { cellText } from "./tiles.ts";

/** The enlarged unit: `picture` holds it alone, as (1, h, w) or (1, h, w, 3). */
export interface Enlarged {
  picture: NdArray | undefined;
  /** Its place on the page; null when it is on another. */
  tile: number | null;
  title: string;
  facts: string;
}

/** The unit that Python sent, or the one that the user just chose with the words that are known here. */
export function enlargedOf(data: GridBlock, tile: number | null, chosen: boolean): Enlarged {
  const { values, detail, noun, scale } = data;
  const only = (array: Values, shape: number[]): NdArray => ({ shape: [1, ...shape], data: array });
  const own = tile !== null && data.layout === "maps" ? only(rowOf(values, tile), values.shape.slice(1)) : undefined;
  const sent = detail && only(detail.data, detail.shape);
  if (!chosen || tile === null) return { picture: sent ?? own, tile, title: data.detail_title, facts: data.facts };
  const title = `${noun[0]?.toUpperCase()}${noun.slice(1)} ${labelOf(data, tile)}`;
  return { picture: own, tile, title, facts: own && !isColor(own) && !scale?.signed ? factsOf(own) : "" };
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

/** Names of up to so many letters stand beside their bars, longer ones above. */
const SHORT = 6;
/** Letters of those that have room, beside a picture and alone. */
const LETTERS = { beside: 9, alone: 34 };

function makePrediction(): { element: HTMLElement; update(rows: [string, number][], room: keyof typeof LETTERS): void } {
  const list = make("div", "nnw-grid-bars");
  const title = make("div", "nnw-label", make("span", "", "Prediction"));
  const element = make("div", "nnw-grid-prediction", title, list);
  const rows = [0, 1, 2].map(() => {
    const [name, bar, value] = [make("span", "nnw-cut"), make("div", "nnw-grid-bar", make("div")), make("span")];
    const row = make("div", "nnw-grid-bar-row", name, bar, value);
    list.append(row);
    return { row, name, fill: bar.firstElementChild as HTMLElement, value };
  });
  return {
    element,
    update(prediction, room) {
      setHidden(element, prediction.length === 0);
      list.classList.toggle("nnw-grid-bars-below", prediction.some(([words]) => words.length > SHORT));
      rows.forEach(({ row, name, fill, value }, i) => {
        const [words, p] = prediction[i] ?? ["", 0];
        setHidden(row, i >= prediction.length);
        setText(name, shortened(words, LETTERS[room]));
        name.title = words;
        setText(value, formatFixed(p, 2));
        fill.style.width = `${100 * p}%`;
      });
    },
  };
}

function makeScaleBar(): { element: HTMLElement; draw(data: GridBlock, tile: number | null, theme: Theme): void } {
  const canvas = make("canvas");
  const [low, unit, high] = [make("span"), make("span"), make("span")];
  const element = make("div", "nnw-grid-scale", canvas, make("div", "nnw-grid-scale-ends nnw-small", low, unit, high));
  return {
    element,
    draw({ scale, values }, tile, theme) {
      setHidden(element, !scale);
      if (!scale) return;
      const { lo, hi, lut } = scaleOf(scale, tile, theme);
      const context = prepareCanvas(canvas, 168, 8);
      if (context) drawScale(context, isColor(values) ? GREY : lut, { x: 0, y: 0, width: 168, height: 8 }, theme);
      setText(low, formatValue(lo));
      setText(unit, scale.signed ? `0 · ${scale.unit}` : scale.unit);
      setText(high, scale.signed ? formatSigned(hi) : formatValue(hi));
    },
  };
}

export function makeDetail() {
  const inputLabel = label();
  const inputCanvas = make("canvas");
  const input = make("div", "nnw-grid-input", inputLabel.element, inputCanvas);
  const prediction = makePrediction();
  const unitLabel = label();
  const unitCanvas = make("canvas");
  const unitFrame = make("div", "nnw-grid-unit-frame", unitCanvas);
  const unit = make("div", "nnw-grid-unit", unitLabel.element, unitFrame);
  const bar = makeScaleBar();
  const sample = make("div", "nnw-grid-sample", input, prediction.element);
  const element = make("div", "nnw-grid-detail", sample, unit, bar.element);
  for (const canvas of [inputCanvas, unitCanvas]) canvas.setAttribute("role", "img");
  let shown: { map: NdArray; frame: Rect; scale: GridBlock["scale"] } | undefined;

  function drawInput(picture: NdArray | undefined, title: string, theme: Theme): void {
    setHidden(input, !picture);
    if (!picture) return;
    setText(inputLabel.left, title);
    inputCanvas.setAttribute("aria-label", title);
    const color = picture.shape.length === 3;
    const [height, width] = picture.shape as [number, number];
    const { frame } = fit(height, width, input.clientWidth || 68);
    const context = prepareCanvas(inputCanvas, frame.width, frame.height);
    if (context) drawPixels(context, rawPixels(picture, 0, color ? 3 : 1), frame, theme);
  }

  return {
    element,
    unit: unitFrame,
    draw(data: GridBlock, { picture, tile, title, facts }: Enlarged, theme: Theme): void {
      drawInput(data.picture, data.picture_title, theme);
      prediction.update(data.prediction, data.picture ? "beside" : "alone");
      setHidden(sample, !data.picture && data.prediction.length === 0);
      setHidden(unit, !title && !picture);
      setText(unitLabel.left, title);
      setText(unitLabel.right, facts);
      unitLabel.right.title = facts;
      unitCanvas.setAttribute("aria-label", `${title}, ${facts}`);
      bar.draw(data, tile, theme);
      shown = undefined;
      setHidden(unitCanvas, !picture);
      if (!picture) return;
      const [, rows, columns] = picture.shape as [number, number, number];
      const { frame, reduce } = fit(rows, columns, unitFrame.clientWidth || 168);
      const map = reduceMaps(picture, reduce);
      const context = prepareCanvas(unitCanvas, frame.width, frame.height);
      if (context) drawPixels(context, tilePixels(map, 0, scaleOf(data.scale, tile, theme)), frame, theme);
      shown = { map, frame, scale: data.scale };
    },
    hit(x: number, y: number): Hit | null {
      if (!shown) return null;
      const { map, frame, scale } = shown;
      const [, rows, columns] = map.shape as [number, number, number];
      const cell = cellAt(frame, rows, columns, x, y);
      if (!cell) return null;
      return {
        tile: 0,
        cell: cellRect(frame, rows, columns, cell),
        text: `row ${cell.row}, col ${cell.column} · `,
        strong: cellText(map, scale, 0, cell.row, cell.column),
      };
    },
  };
}
