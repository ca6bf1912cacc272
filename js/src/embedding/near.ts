/** The samples nearest to the one looked at, in the layer's own space: pictures, distances, and how many stayed near. */

import { make, setHidden, setText } from "../kernel/dom.ts";
import { formatCount, formatValue } from "../kernel/format.ts";
import type { CommonHeader, Frame, Panel } from "../kernel/panel.ts";
import { sampleCell } from "./strip.ts";

/** A frame of the channel "neighbours". */
export interface NeighboursHeader extends CommonHeader {
  heading: string;
  note: string;
  /** The sample that they are near. */
  about: number;
  /** Nearest first; distances in the layer's units. */
  near: { index: number; label: string; distance: number }[];
}

const ABOUT_DISTANCE = "In the units of the layer's responses; wide layers are reduced to 50 principal components.";

export class Near {
  readonly element: HTMLElement;
  readonly #heading = make("span", "nnw-strip-title");
  readonly #note = make("span", "nnw-strip-note");
  readonly #cells = make("div", "nnw-near-cells");
  #about = -1;
  #indices: readonly number[] = [];

  constructor(listen: Panel["listen"], choose: (index: number) => void) {
    this.#note.title = ABOUT_DISTANCE;
    this.#cells.role = "list";
    const head = make("div", "nnw-strip-head", this.#heading, this.#note);
    this.element = make("section", "nnw-strip nnw-near", head, this.#cells);
    this.element.ariaLabel = "Nearest samples";
    setHidden(this.element, true);
    listen(this.#cells, "click", (event) => {
      const cell = (event.target as Element).closest<HTMLElement>("[data-index]");
      if (cell) choose(Number(cell.dataset["index"]));
    });
  }

  adopt({ header, arrays }: Frame<NeighboursHeader>): void {
    this.#about = header.about;
    this.#indices = header.near.map(({ index }) => index);
    setHidden(this.element, false);
    setText(this.#heading, header.heading);
    setText(this.#note, header.note);
    const pictures = arrays["near"];
    this.#cells.replaceChildren(
      ...header.near.map(({ index, label, distance }, k) => {
        const far = make("span", "nnw-near-distance", formatValue(distance));
        const words = [make("span", "nnw-strip-label", label), make("span", "nnw-strip-index", formatCount(index)), far];
        const named = `Sample ${formatCount(index)}${label && `: label ${label}`}, at a distance of ${formatValue(distance)}`;
        return sampleCell({ index, pictures, k, current: false, title: named }, words);
      }),
    );
  }

  /** Dataset indices of the samples nearest to `sample`; none while the list is of another one. */
  of(sample: number | null): readonly number[] {
    return sample === this.#about ? this.#indices : [];
  }
}
