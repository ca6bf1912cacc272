/** A value that both the user sets here and Python sets there. Knows no messages: it is handed what a frame tells. */

/**
 * Frames are made before they come: one may still tell an older value than the one set here. Such an echo is no news;
 * a value that was never set here is, and counts.
 */
export class Shared<T> {
  #value: T;
  #told: T;
  /** What was set here and not yet confirmed, oldest first. */
  #sent: T[] = [];
  readonly #same: (a: T, b: T) => boolean;

  constructor(start: T, same: (a: T, b: T) => boolean) {
    this.#value = this.#told = start;
    this.#same = same;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    this.#sent.push(value);
  }

  /** Takes what a frame tells; true when that changes the value. */
  hear(told: T): boolean {
    const late = this.#same(told, this.#told) || this.#sent.some((sent) => this.#same(told, sent));
    this.#told = told;
    if (this.#same(told, this.#value)) this.#sent = [];
    else if (!late) {
      this.#sent = [];
      this.#value = told;
      return true;
    }
    return false;
  }
}
