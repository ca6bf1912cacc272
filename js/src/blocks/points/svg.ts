/** The map as an SVG drawing: a circle for every point and ring in sight, names, legend and caption as text. Pure. */

import type { Theme } from "../../kernel/color.ts";
import { magnified, project } from "./camera.ts";
import { type Pen, hex } from "./key.ts";
import { NAME_HALO, NAME_PX, SAMPLE_RING } from "./paint.ts";
import { type Pass, SIZE_UNIT, type Scene, radiusIn, strokeOf } from "./passes.ts";
import { CAPTION_PX, type Frame, drawCaption, drawKey } from "./picture.ts";
import type { Still } from "./stage.ts";
import { type Stroke, TRAIL_WIDTH } from "./trails.ts";

export interface Drawing extends Omit<Still, "paint"> {
  /** The row looked at, -1 for none, and the radius of a point of the usual size. */
  readonly sample: number;
  readonly radius: number;
  readonly frame: Frame;
  readonly title: string;
}

/** Text of any origin inside a document or one of its attributes. XML has no way to say a control character. */
export const escapeXml = (text: string): string =>
  text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const px = (value: number): string => String(Math.round(value * 100) / 100);

export function drawingOf({ scene, strokes, names, sample, radius, frame, title }: Drawing, theme: Theme): string {
  const { width, height } = scene.size;
  const xy = new Float32Array((scene.to.length / 3) * 2);
  const nearness = new Float32Array(scene.to.length / 3);
  project(scene.to, scene.camera, scene.size, xy, nearness);
  const [ground, ink] = [hex(scene.ground), hex(scene.ink)];
  const [key, caption]: [string[], string[]] = [[], []];
  drawKey(penInto(key), frame);
  drawCaption(penInto(caption), frame, ink);
  const grown = (scene.colors[4 * sample + 3] as number) * SIZE_UNIT;
  const ring = `<circle cx="${px(xy[2 * sample] as number)}" cy="${px(xy[2 * sample + 1] as number)}" r="${px(radius * grown + SAMPLE_RING)}"/>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${px(frame.width)}" height="${px(frame.height)}"`,
    ` viewBox="0 0 ${px(frame.width)} ${px(frame.height)}" font-family="${escapeXml(theme.font)}" font-size="${CAPTION_PX}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="${ground}"/>`,
    // One inside the other cuts off what lies beside the map.
    `<svg width="${px(width)}" height="${px(height)}">`,
    `<g class="trails" fill="none" stroke-width="${TRAIL_WIDTH}" stroke-linecap="round">${strokes.map(path).join("")}</g>`,
    ...scene.passes.filter((pass) => pass.name !== "specks").map((pass) => circles(pass, scene, xy, nearness)),
    `<g class="names" font-size="${NAME_PX}" font-weight="600" text-anchor="middle" dominant-baseline="central"`,
    ` fill="${ink}" stroke="${ground}" stroke-width="${NAME_HALO}" stroke-linejoin="round" paint-order="stroke">`,
    ...names.map((name) => `<text x="${px(name.x)}" y="${px(name.y)}">${escapeXml(name.text)}</text>`),
    "</g>",
    sample < 0 ? "" : `<g class="sample" fill="none" stroke="${hex(scene.brand)}" stroke-width="2">${ring}</g>`,
    `</svg><g class="legend">${key.join("")}</g>`,
    `<g class="caption">${caption.join("")}</g></svg>\n`,
  ].join("");
}

/** A pen that writes elements. */
function penInto(written: string[]): Pen {
  return {
    text(words, x, y, fill, anchor = "start") {
      const end = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
      written.push(`<text x="${px(x)}" y="${px(y)}" fill="${fill}"${end}>${escapeXml(words)}</text>`);
    },
    disc(x, y, radius, { fill = "none", stroke = "none", line = 1, alpha = 1 }) {
      const rim = stroke === "none" ? "" : ` stroke="${stroke}" stroke-width="${line}"`;
      written.push(`<circle cx="${px(x)}" cy="${px(y)}" r="${px(radius)}" fill="${fill}"${rim} opacity="${alpha}"/>`);
    },
    box(x, y, width, height, fill) {
      written.push(`<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" fill="${fill}"/>`);
    },
  };
}

function path({ color, alpha, lines }: Stroke): string {
  const steps = lines.map((value, i) => `${i % 4 === 0 ? "M" : i % 4 === 2 ? "L" : " "}${px(value)}`);
  return `<path d="${steps.join("")}" stroke="${color}" opacity="${px(alpha)}"/>`;
}

/** The marks of one pass that touch the canvas, as it draws them. */
function circles(pass: Pass, scene: Scene, xy: Float32Array, nearness: Float32Array): string {
  const { width, height } = scene.size;
  const stroke = hex(strokeOf(pass, scene));
  const alpha = pass.alpha < 1 ? ` opacity="${pass.alpha}"` : "";
  const marks: string[] = [];
  for (const i of pass.members) {
    const [x, y] = [xy[2 * i] as number, xy[2 * i + 1] as number];
    const radius = radiusIn(pass, scene, i) * magnified(nearness[i] as number);
    if (x < -radius || y < -radius || x > width + radius || y > height + radius) continue;
    const fill = pass.fill === "each" ? ` fill="${hex(Array.from(scene.colors.subarray(4 * i, 4 * i + 3)))}"` : "";
    marks.push(`<circle cx="${px(x)}" cy="${px(y)}" r="${px(radius)}"${fill}${alpha}/>`);
  }
  const fill = pass.fill === "none" ? ' fill="none"' : "";
  const name = pass.name.replace(" ", "-");
  return `<g class="${name}" stroke="${stroke}" stroke-width="${pass.line}"${fill}>${marks.join("")}</g>`;
}
