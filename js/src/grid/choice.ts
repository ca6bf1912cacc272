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
  forget(): void;
}

/** `expired` is called when Python has not confirmed a choice in time, and need not say anything more of itself. */
export function makeChoice(expired: () => void): Choice {
  let chosen: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = (): void => {
    clearTimeout(timer);
    chosen = null;
  };
  return {
    pending: () => chosen !== null,
    tile(header) {
      const at = chosen === null ? -1 : header.tiles.units.indexOf(chosen);
      return at >= 0 ? at : header.selected_tile;
    },
    choose(unit) {
      forget();
      chosen = unit;
      timer = setTimeout(() => {
        forget();
        expired();
      }, OPTIMISM_MS);
    },
    settle({ header }) {
      if (header.selection?.unit === chosen) forget();
    },
    forget,
  };
}
