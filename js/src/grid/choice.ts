/** Which tile is selected: Python's word, or for a moment the user's, so that a click shows before it is answered. */

import type { Frame } from "../kernel/wire.ts";
import type { GridHeader } from "./header.ts";

/** If Python still says otherwise after this time, Python is right. */
const OPTIMISM_MS = 3000;

export interface Choice {
  /** Whether the user chose something that Python has not answered yet. */
  pending(): boolean;
  /** Index of the selected tile on the page. */
  tile(header: GridHeader): number | null;
  choose(unit: number): void;
  settle(frame: Frame<GridHeader>): void;
}

export function makeChoice(): Choice {
  let chosen: { unit: number; at: number } | null = null;
  return {
    pending: () => chosen !== null,
    tile(header) {
      const at = chosen ? header.tiles.units.indexOf(chosen.unit) : -1;
      return at >= 0 ? at : header.selected_tile;
    },
    choose(unit) {
      chosen = { unit, at: performance.now() };
    },
    settle({ header }) {
      if (!chosen) return;
      if (header.selection?.unit === chosen.unit || performance.now() - chosen.at > OPTIMISM_MS) chosen = null;
    },
  };
}
