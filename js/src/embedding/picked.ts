/** The selected samples: what Python told, what was picked here since, and the strip of the first of them. No DOM. */

import type { CommonHeader, Frame, NdArray } from "../kernel/panel.ts";
import type { SelectionHeader, StripEntry } from "./cloud.ts";
import { sameIds } from "./motion.ts";

export class Picked {
  /** Dataset indices, in the order in which they came in. */
  indices: readonly number[] = [];
  set: ReadonlySet<number> = new Set();
  strip: readonly StripEntry[] = [];
  pictures: NdArray | undefined;
  /** What Python told last: only something different is news, so that a late frame does not undo a lasso. */
  #told: readonly number[] = [];

  /** Takes a frame of the channel "selection"; whether the selection is another one now. */
  adopt(frame: Frame<CommonHeader>): boolean {
    this.strip = (frame.header as SelectionHeader).strip;
    this.pictures = frame.arrays["strip"];
    const told = Array.from(frame.arrays["selected"]?.data ?? []);
    if (sameIds(told, this.#told)) return false;
    this.#told = told;
    this.pick(told);
    return true;
  }

  pick(indices: readonly number[]): void {
    this.indices = indices;
    this.set = new Set(indices);
  }
}
