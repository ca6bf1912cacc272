/** What tiles, strips and sequences have in common: something drawn in which a point names a unit and a value. */

import type { Theme } from "../../kernel/color.ts";
import type { Hit } from "../../kernel/hover.ts";
import type { GridBlock } from "../types.ts";

export interface Board {
  element: HTMLElement;
  /** How far an arrow down goes. */
  columns(): number;
  update(data: GridBlock): void;
  /** Draws at a width. */
  draw(width: number, theme: Theme, selected: number | null): void;
  hit(x: number, y: number): Hit | null;
}
