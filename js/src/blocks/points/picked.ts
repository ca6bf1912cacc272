/** The selected samples: what Python told, and what was picked here since. No DOM. */

import { Shared } from "../../kernel/shared.ts";
import { sameIds } from "./motion.ts";

export class Picked {
  set: ReadonlySet<number> = new Set();
  readonly #indices = new Shared<readonly number[]>([], sameIds);

  /** Dataset indices, in the order in which they came in. */
  get indices(): readonly number[] {
    return this.#indices.value;
  }

  /** What Python says is selected; whether that is another selection now. */
  hear(told: readonly number[]): boolean {
    if (!this.#indices.hear(told)) return false;
    this.set = new Set(told);
    return true;
  }

  pick(indices: readonly number[]): void {
    this.#indices.set(indices);
    this.set = new Set(indices);
  }
}
