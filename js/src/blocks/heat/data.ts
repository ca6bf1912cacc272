/** The data of a heat block as its figures use them: values by position and panel. Knows no DOM. */

import { rowOf } from "../../kernel/wire.ts";
import type { HeatBlock, PanelWords } from "../types.ts";
import type { Cell, Positions } from "./geometry.ts";

/** One panel: a value for each position, or a class and its probability; NaN and -1 where there is none. */
export interface PanelMap {
  words: PanelWords;
  values: Float32Array;
  /** The same without any square. */
  without: number;
  classes: Int32Array | null;
  classWithout: number;
}

export interface Result {
  block: HeatBlock;
  /** Height and width of the picture. */
  size: readonly [number, number];
  /** Of the squares; without any, each pixel is one. */
  positions: Positions;
  panels: readonly PanelMap[];
  /** Whether the panels know a position. */
  computed(at: number): boolean;
}

export function readBlock(block: HeatBlock): Result {
  const [height, width] = block.values.shape as [number, number];
  const squares = block.squares ?? { rows: upTo(height), cols: upTo(width), size: [1, 1] };
  const computed = block.computed?.data;
  return {
    block,
    size: [height, width],
    positions: { rows: squares.rows, cols: squares.cols, patch: squares.size, size: [height, width] },
    panels: readPanels(block),
    computed: (at) => !computed || computed[at] === 1,
  };
}

const upTo = (length: number): number[] => Array.from({ length }, (_, k) => k);

function readPanels({ panels, cells, classes }: HeatBlock): PanelMap[] {
  let withClasses = 0;
  return panels.map((words, row) => {
    const values = Float32Array.from(cells ? rowOf(cells, row) : []);
    const own = words.shows_classes ? Int32Array.from(classes ? rowOf(classes, withClasses++) : []) : null;
    return {
      words,
      values: values.subarray(1),
      without: values[0] ?? Number.NaN,
      classes: own && own.subarray(1),
      classWithout: own?.[0] ?? -1,
    };
  });
}

export function indexOf({ positions }: Result, cell: Cell): number {
  return cell.i * positions.cols.length + cell.j;
}

/** Where the square starts: at the largest change of the first panel, or at the strongest pixel of a picture alone. */
export function strongest({ block, panels, positions }: Result): Cell {
  const first = panels[0];
  const values: ArrayLike<number> = first?.values ?? block.values.data;
  const without = first?.without ?? 0;
  let best = 0;
  let most = -1;
  for (let at = 0; at < values.length; at++) {
    const change = Math.abs(values[at]! - without);
    if (change > most) [best, most] = [at, change];
  }
  const columns = Math.max(1, positions.cols.length);
  return { i: Math.floor(best / columns), j: best % columns };
}

/** The name of a class, a dash for none. */
export function className({ legend }: PanelWords, label: number): string {
  if (label < 0) return "–";
  return legend.find(([each]) => each === label)?.[1] ?? String(label);
}
