/** Vectors as strips and sequences as one picture: drawn whole, with one hidden element that names the active unit. */

import { prepareCanvas } from "../../kernel/canvas.ts";
import type { Theme } from "../../kernel/color.ts";
import { make, setText } from "../../kernel/dom.ts";
import { formatValue } from "../../kernel/format.ts";
import type { Hit } from "../../kernel/hover.ts";
import type { GridBlock } from "../types.ts";
import { countOf, descriptionOf, nameOf } from "./data.ts";
import { cellAt, cellRect, layoutSequence, layoutStrips, stripAt, stripRect } from "./layout.ts";
import { drawSequence, drawStrips } from "./paint.ts";

/** What tiles, strips and sequences have in common: a drawing in which a point names a unit and a value. */
export interface Board {
  element: HTMLElement;
  /** How far an arrow down goes. */
  columns(): number;
  update(data: GridBlock): void;
  /** Draws at a width. */
  draw(width: number, theme: Theme, selected: number | null): void;
  hit(x: number, y: number): Hit | null;
}

/** What strips and sequences differ in. */
interface Drawing {
  columns(): number;
  /** Where things lie at this width; returns the height. */
  place(data: GridBlock, width: number): number;
  paint(context: CanvasRenderingContext2D, data: GridBlock, selected: number | null, theme: Theme): void;
  hit(data: GridBlock, x: number, y: number): Hit | null;
}

let boards = 0;

function makeRows({ columns, place, paint, hit }: Drawing): Board {
  const canvas = make("canvas");
  canvas.setAttribute("aria-hidden", "true");
  const active = make("div", "nnw-unseen");
  active.id = `nnw-grid-rows-${++boards}`;
  active.setAttribute("role", "gridcell");
  active.setAttribute("aria-selected", "true");
  const element = make("div", "nnw-grid-rows", canvas, active);
  element.setAttribute("aria-activedescendant", active.id);
  let data: GridBlock | undefined;
  return {
    element,
    columns,
    update(next) {
      data = next;
      element.setAttribute("role", data.column ? "grid" : "img");
    },
    draw(width, theme, selected) {
      if (!data) return;
      const height = place(data, width);
      element.style.height = `${height}px`;
      setText(active, selected === null ? "" : descriptionOf(data, selected));
      const context = prepareCanvas(canvas, width, height);
      if (context) paint(context, data, selected, theme);
    },
    hit: (x, y) => (data ? hit(data, x, y) : null),
  };
}

export function makeStrips(): Board {
  let layout = layoutStrips(616, 1, 1, false);
  return makeRows({
    columns: () => layout.perLine,
    place(data, width) {
      layout = layoutStrips(width, countOf(data), data.values.shape[0] as number, data.dead !== undefined);
      return layout.totalHeight;
    },
    paint(context, { values, dead, row_titles: titles, scale }, selected, theme) {
      drawStrips(context, { values, dead, titles, scale, layout, selected }, theme);
    },
    hit(data, x, y) {
      const at = stripAt(layout, countOf(data), x, y);
      if (!at) return null;
      const flag = data.flags?.[at.unit];
      return {
        tile: at.unit,
        cell: stripRect(layout, at.row, at.unit),
        text: `${nameOf(data, at.unit)}${flag ? ` · ${flag}` : ""} · ${data.row_titles[at.row] ?? ""} `,
        strong: formatValue(data.values.data[at.row * countOf(data) + at.unit] as number),
      };
    },
  });
}

export function makeSequence(): Board {
  let frame = layoutSequence(616, 1, 1).frame;
  return makeRows({
    columns: () => 1,
    place({ values }, width) {
      const layout = layoutSequence(width, ...(values.shape as [number, number]));
      frame = layout.frame;
      return layout.totalHeight;
    },
    paint(context, { values, row_titles: titles, scale }, selected, theme) {
      drawSequence(context, { values, titles, scale, frame, selected }, theme);
    },
    hit(data, x, y) {
      const [units, positions] = data.values.shape as [number, number];
      const cell = cellAt(frame, units, positions, x, y);
      if (!cell) return null;
      return {
        tile: cell.row,
        cell: cellRect(frame, units, positions, cell),
        text: `${nameOf(data, cell.row)} · ${data.row_titles[0] ?? "position"} ${cell.column} · `,
        strong: formatValue(data.values.data[cell.row * positions + cell.column] as number),
      };
    },
  });
}
