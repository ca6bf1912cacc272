/** What colours by a number and sizes mean: a bar with its ends, and two points with theirs. Draws no cloud. */

import { prepareCanvas } from "../../kernel/canvas.ts";
import type { Theme } from "../../kernel/color.ts";
import { make, setHidden, setText } from "../../kernel/dom.ts";
import { formatValue } from "../../kernel/format.ts";
import { drawRamp } from "./key.ts";
import { AREA, type Scale, colorName, scaleLut } from "./looks.ts";
import { penOn } from "./picture.ts";

const BAR = { width: 176, height: 8 };
/** Radius of a point of the usual size, in the key. */
const RADIUS = 2.75;

export class ColorBar {
  readonly #ramp = make("canvas");
  readonly #low = make("span");
  readonly #name = make("span", "nnw-points-key-name");
  readonly #high = make("span");
  readonly element = make("div", "nnw-points-color-key", this.#ramp, this.#low, this.#name, this.#high);

  update(scale: Scale | null, theme: Theme): void {
    setHidden(this.element, scale === null);
    if (!scale) return;
    const context = prepareCanvas(this.#ramp, BAR.width, BAR.height);
    if (context) drawRamp(penOn(context), scaleLut(scale, theme), { x: 0, y: 0, ...BAR });
    setText(this.#low, formatValue(scale.low));
    setText(this.#name, colorName(scale));
    this.#name.title = colorName(scale);
    setText(this.#high, formatValue(scale.high));
  }
}

export class SizeKey {
  readonly #small = make("canvas");
  readonly #low = make("span");
  readonly #name = make("span", "nnw-points-key-name");
  readonly #high = make("span");
  readonly #large = make("canvas");
  readonly element = make("div", "nnw-points-size-key", this.#small, this.#low, this.#name, this.#high, this.#large);

  update(scale: Scale | null, theme: Theme): void {
    setHidden(this.element, scale === null);
    if (!scale) return;
    this.#dot(this.#small, AREA.least, theme);
    this.#dot(this.#large, AREA.most, theme);
    setText(this.#low, formatValue(scale.low));
    setText(this.#name, scale.name);
    this.#name.title = scale.name;
    setText(this.#high, formatValue(scale.high));
  }

  #dot(canvas: HTMLCanvasElement, area: number, theme: Theme): void {
    const context = prepareCanvas(canvas, 12, 12);
    if (!context) return;
    context.beginPath();
    context.arc(6, 6, RADIUS * Math.sqrt(area), 0, 2 * Math.PI);
    context.fillStyle = theme.text2;
    context.fill();
  }
}
