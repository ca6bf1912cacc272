/** What colours by a number and sizes mean: a bar with its ends, and two points with theirs. Draws no cloud. */

import { prepareCanvas } from "../../kernel/canvas.ts";
import type { Theme } from "../../kernel/color.ts";
import { make, setHidden, setText } from "../../kernel/dom.ts";
import { formatValue } from "../../kernel/format.ts";
import { BAR, RADIUS, drawRamp } from "./key.ts";
import { AREA, type Scale, colorName, scaleLut } from "./looks.ts";
import { penOn } from "./picture.ts";

/** The ends of a scale and its name between them, with a canvas before and perhaps one after them. */
function makeKey(
  kind: "color" | "size",
  canvases: readonly [HTMLCanvasElement, HTMLCanvasElement?],
  nameOf: (scale: Scale) => string,
  draw: (scale: Scale, theme: Theme) => void,
) {
  const [low, name, high] = [make("span"), make("span", "nnw-points-key-name nnw-small nnw-cut"), make("span")];
  const element = make("div", `nnw-points-${kind}-key`, canvases[0], low, name, high, canvases[1] ?? "");
  return {
    element,
    /** Goes away without a scale. */
    update(scale: Scale | null, theme: Theme): void {
      setHidden(element, scale === null);
      if (!scale) return;
      draw(scale, theme);
      setText(low, formatValue(scale.low));
      setText(name, nameOf(scale));
      name.title = nameOf(scale);
      setText(high, formatValue(scale.high));
    },
  };
}

export function makeColorKey() {
  const ramp = make("canvas");
  return makeKey("color", [ramp], colorName, (scale, theme) => {
    const context = prepareCanvas(ramp, BAR.width, BAR.height);
    if (context) drawRamp(penOn(context), scaleLut(scale, theme), { x: 0, y: 0, ...BAR });
  });
}

export function makeSizeKey() {
  const [small, large] = [make("canvas"), make("canvas")];
  return makeKey("size", [small, large], ({ name }) => name, (_, theme) => {
    for (const [canvas, area] of [[small, AREA.least], [large, AREA.most]] as const) {
      const context = prepareCanvas(canvas, 12, 12);
      if (context) penOn(context).disc(6, 6, RADIUS * Math.sqrt(area), { fill: theme.text2 });
    }
  });
}
