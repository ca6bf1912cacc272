/** The selected samples: what Python told, what was picked here since, and the strip of the first of them. No DOM. */

import type { CommonHeader, Frame, NdArray } from "../kernel/panel.ts";
import { Shared } from "../kernel/shared.ts";
import type { SelectionHeader, StripEntry } from "./cloud.ts";
import { sameIds } from "./motion.ts";

export class Picked {
  set: ReadonlySet<number> = new Set();
  strip: readonly StripEntry[] = [];
  pictures: NdArray | undefined;
  readonly #indices = new Shared<readonly number[]>([], sameIds);

  /** Dataset indices, in the order in which they came in. */
  get indices(): readonly number[] {
    return this.#indices.value;
  }

  /** Takes a frame of the channel "selection"; whether the selection is another one now. */
  adopt(frame: Frame<CommonHeader>): boolean {
    this.strip = (frame.header as SelectionHeader).strip;
    this.pictures = frame.arrays["strip"];
    const told = Array.from(frame.arrays["selected"]?.data ?? []);
    if (!this.#indices.hear(told)) return false;
    this.set = new Set(told);
    return true;
  }

  pick(indices: readonly number[]): void {
    this.#indices.set(indices);
    this.set = new Set(indices);
  }
}
