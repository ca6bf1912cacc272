/** Vectors as strips and sequences as one picture: drawn whole, with one hidden element that names the active unit. */

import { prepareCanvas } from "../kernel/canvas.ts";
import { make, setText } from "../kernel/dom.ts";
import { formatValue } from "../kernel/format.ts";
import type { Frame, NdArray } from "../kernel/wire.ts";
import type { Board } from "./board.ts";
import type { GridHeader, ScaleHeader, TilesHeader } from "./header.ts";
import { cellAt, cellRect, layoutSequence, layoutStrips, stripAt, stripRect } from "./layout.ts";
import { drawSequence, drawStrips } from "./paint.ts";

interface RowsData {
  tiles: TilesHeader;
  scale: ScaleHeader;
  /** (rows, units) of strips, (units, positions) of a sequence. */
  values: NdArray;
  dead: NdArray | undefined;
  titles: readonly string[];
}

export interface Rows extends Board {
  update(frame: Frame<GridHeader>): void;
}

function dataOf({ header, arrays }: Frame<GridHeader>): RowsData | undefined {
  const { tiles, scale, row_titles: titles = [] } = header;
  return arrays.rows && { tiles, scale, titles, values: arrays.rows, dead: arrays.dead };
}

let boards = 0;

function makeFrame(): { element: HTMLElement; canvas: HTMLCanvasElement; name(text: string): void } {
  const canvas = make("canvas");
  canvas.setAttribute("aria-hidden", "true");
  const active = make("div", "nnw-hidden");
  active.id = `nnw-rows-${++boards}`;
  active.setAttribute("role", "gridcell");
  active.setAttribute("aria-selected", "true");
  const element = make("div", "nnw-rows", canvas, active);
  element.setAttribute("role", "grid");
  element.setAttribute("aria-activedescendant", active.id);
  return { element, canvas, name: (text) => setText(active, text) };
}

const unitName = (data: RowsData, tile: number): string => `unit ${data.tiles.units[tile] ?? tile}`;

export function makeStrips(): Rows {
  const { element, canvas, name } = makeFrame();
  let data: RowsData | undefined;
  let layout = layoutStrips(616, 1, 1, false);
  const count = (): number => data?.values.shape[1] ?? 0;
  return {
    element,
    columns: () => layout.perLine,
    update(frame) {
      data = dataOf(frame);
    },
    draw(width, theme, selected) {
      if (!data) return;
      layout = layoutStrips(width, count(), data.values.shape[0] as number, data.dead !== undefined);
      element.style.height = `${layout.totalHeight}px`;
      name(selected === null ? "" : (data.tiles.aria[selected] ?? unitName(data, selected)));
      const context = prepareCanvas(canvas, width, layout.totalHeight);
      if (context) drawStrips(context, { ...data, layout, selected }, theme);
    },
    hit(x, y) {
      const at = data && stripAt(layout, count(), x, y);
      if (!data || !at) return null;
      const value = data.values.data[at.row * count() + at.unit] as number;
      const flag = data.tiles.flags[at.unit];
      return {
        tile: at.unit,
        cell: stripRect(layout, at.row, at.unit),
        text: `${unitName(data, at.unit)}${flag ? ` · ${flag}` : ""} · ${data.titles[at.row] ?? ""} `,
        strong: formatValue(value),
      };
    },
  };
}

export function makeSequence(): Rows {
  const { element, canvas, name } = makeFrame();
  let data: RowsData | undefined;
  let frame = layoutSequence(616, 1, 1).frame;
  return {
    element,
    columns: () => 1,
    update(frame) {
      data = dataOf(frame);
    },
    draw(width, theme, selected) {
      if (!data) return;
      const [units, positions] = data.values.shape as [number, number];
      const layout = layoutSequence(width, units, positions);
      frame = layout.frame;
      element.style.height = `${layout.totalHeight}px`;
      name(selected === null ? "" : (data.tiles.aria[selected] ?? unitName(data, selected)));
      const context = prepareCanvas(canvas, width, layout.totalHeight);
      if (context) drawSequence(context, { ...data, frame, selected }, theme);
    },
    hit(x, y) {
      const [units, positions] = (data?.values.shape ?? [0, 0]) as [number, number];
      const cell = cellAt(frame, units, positions, x, y);
      if (!data || !cell) return null;
      return {
        tile: cell.row,
        cell: cellRect(frame, units, positions, cell),
        text: `${unitName(data, cell.row)} · ${data.titles[0] ?? "position"} ${cell.column} · `,
        strong: formatValue(data.values.data[cell.row * positions + cell.column] as number),
      };
    },
  };
}
