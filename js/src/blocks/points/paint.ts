/** Colours of points and the marks above them: cluster names, the running box or lasso, rings of hover and of the sample. */

import { type Rgb, type Theme, parseHex, unpackRgb } from "../../kernel/color.ts";
import { type Cloud, NO_CLASS, slotsOf } from "./cloud.ts";
import { type Anchor, placeLabels } from "./labels.ts";
import { type Looks, scaleColor, sizeFactor } from "./looks.ts";
import { SIZE_UNIT } from "./passes.ts";

let probe: CanvasRenderingContext2D | null | undefined;

/** Any CSS colour as it looks over a ground, by painting it: theme colours may be half clear or have names. */
export function paintedColor(color: string, ground: string): Rgb {
  probe ??= Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
    willReadFrequently: true,
  });
  if (!probe) return [128, 128, 128];
  for (const layer of [ground, color]) {
    probe.fillStyle = layer;
    probe.fillRect(0, 0, 1, 1);
  }
  const [red = 0, green = 0, blue = 0] = probe.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}

/** Colour and size of every point, n × 4 bytes: its group's, grey when it has none or is not picked, or by a scale. */
export function pointColors(
  looks: Looks,
  standing: Uint8Array,
  on: readonly boolean[],
  theme: Theme,
  grey: Rgb,
): Uint8Array {
  const { grouped: cloud, color, size } = looks;
  const palette = theme.classes.map((hex) => parseHex(hex.slice(1)));
  const slots = slotsOf(on, palette.length);
  const out = new Uint8Array(4 * cloud.n);
  for (let i = 0; i < cloud.n; i++) {
    const label = cloud.labels[i] as number;
    let rgb: Rgb = standing[i] === 2 && label !== NO_CLASS ? (palette[slots[label] as number] as Rgb) : grey;
    if (color) {
      const value = color.numbers[i] as number;
      rgb = Number.isFinite(value) ? unpackRgb(scaleColor(color, value, theme)) : grey;
    }
    out[4 * i] = rgb[0];
    out[4 * i + 1] = rgb[1];
    out[4 * i + 2] = rgb[2];
    out[4 * i + 3] = Math.round(sizeFactor(size, i) / SIZE_UNIT);
  }
  return out;
}

export interface OverlayState {
  cloud: Cloud;
  medoids: Int32Array;
  on: readonly boolean[];
  xy: Float32Array;
  width: number;
  height: number;
  radiusOf(row: number): number;
  /** Rows, -1 for none. */
  hovered: number;
  sample: number;
  /** x0, y0, x1, y1, … of the box or lasso under way. */
  outline: readonly number[] | null;
}

const LABEL_LINE = 20;
/** One brand ring 2 px, 1 px off what it marks: by how much it is wider than a point, outside a selected one's outline. */
export const SAMPLE_RING = 1.25 + 0.5 + 1 + 1;
export const NAME_PX = 16;
export const NAME_HALO = 5;

export function drawOverlay(context: CanvasRenderingContext2D, state: OverlayState, theme: Theme): void {
  if (state.outline) drawOutline(context, state.outline, theme);
  drawNames(context, state, theme);
  const ring = (row: number, radius: number): void => {
    if (row < 0) return;
    context.beginPath();
    context.arc(state.xy[2 * row] as number, state.xy[2 * row + 1] as number, radius, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = theme.brand;
    context.stroke();
  };
  ring(state.sample, state.radiusOf(state.sample) + SAMPLE_RING);
  ring(state.hovered, Math.max(9, state.radiusOf(state.hovered) + 3.5));
}

function drawOutline(context: CanvasRenderingContext2D, outline: readonly number[], theme: Theme): void {
  context.beginPath();
  for (let i = 0; i < outline.length; i += 2) context.lineTo(outline[i] as number, outline[i + 1] as number);
  context.closePath();
  context.fillStyle = theme.brand;
  context.globalAlpha = 0.08;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.setLineDash([4, 3]);
  context.strokeStyle = theme.brand;
  context.stroke();
  context.setLineDash([]);
}

/** Where the names of the classes in sight stand, each on its medoid; the context measures them. */
export function namesOf(context: CanvasRenderingContext2D, state: OverlayState, theme: Theme): Anchor[] {
  const { cloud, xy, width, height } = state;
  context.font = `600 ${NAME_PX}px ${theme.font}`;
  const anchors: Anchor[] = [];
  cloud.classes.forEach((entry, k) => {
    const row = state.medoids[k] ?? -1;
    if (row < 0 || !state.on[k]) return;
    const [x, y] = [xy[2 * row] as number, xy[2 * row + 1] as number];
    if (x < 0 || y < 0 || x > width || y > height) return;
    const text = shorten(entry.name);
    anchors.push({ text, x, y, width: context.measureText(text).width + 6, weight: entry.n });
  });
  return placeLabels(anchors, height, LABEL_LINE).map((name) => ({
    ...name,
    x: Math.max(name.width / 2, Math.min(name.x, width - name.width / 2)),
  }));
}

/** Names with a halo, so that they can be read over the points. */
function drawNames(context: CanvasRenderingContext2D, state: OverlayState, theme: Theme): void {
  const names = namesOf(context, state, theme);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = NAME_HALO;
  context.strokeStyle = theme.behind;
  context.fillStyle = theme.text;
  for (const name of names) {
    context.strokeText(name.text, name.x, name.y);
    context.fillText(name.text, name.x, name.y);
  }
}

/** Long class names lose their middle, so that a name never hides a cluster. */
export function shorten(name: string, most = 18): string {
  return name.length <= most ? name : `${name.slice(0, most - 7)}…${name.slice(-6)}`;
}
