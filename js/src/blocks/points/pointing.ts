/** What gestures over the cloud do to it. */

import type { GestureTarget } from "./gestures.ts";
import type { SelectMode } from "./picking.ts";
import type { Stage } from "./stage.ts";
import type { Tools } from "./tools.ts";

export interface Acts {
  /** Rings a row and shows its card; -1 for none. */
  point(row: number): void;
  choose(row: number): void;
  select(rows: readonly number[], mode: SelectMode): void;
  redraw(): void;
}

export function pointingAt(stage: Stage, tools: Tools, acts: Acts): GestureTarget {
  return {
    tool: () => tools.current,
    turns: () => stage.turns,
    hover: (x, y) => acts.point(stage.pick(x, y)),
    leave: () => acts.point(-1),
    click: (x, y, mode) => {
      const row = stage.pick(x, y);
      if (row < 0) return;
      if (mode === "replace") acts.choose(row);
      else acts.select([row], mode);
    },
    pan: (dx, dy) => stage.steer((view) => view.pan(dx, dy)),
    orbit: (dx, dy) => stage.steer((view) => view.orbit(dx, dy)),
    outline: (polygon) => {
      stage.outline = polygon;
      acts.redraw();
    },
    select: (polygon, mode) => acts.select(stage.rowsInside(polygon), mode),
    zoom: (factor, x, y) => {
      acts.point(-1);
      stage.steer((view) => view.zoom(factor, x, y));
    },
  };
}
