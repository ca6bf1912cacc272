/** The map as an SVG drawing: a circle for every point and ring in sight, names and caption as text. Pure. */

import type { Rgb, Theme } from "../kernel/color.ts";
import { project } from "./camera.ts";
import type { Anchor } from "./labels.ts";
import { NAME_HALO, NAME_PX } from "./paint.ts";
import type { Pass } from "./passes.ts";
import { CAPTION_LINE, CAPTION_PX } from "./picture.ts";
import { type Scene, radiusIn, strokeOf } from "./renderer.ts";
import { type Stroke, TRAIL_WIDTH } from "./trails.ts";

export interface Drawing {
  readonly scene: Scene;
  readonly strokes: readonly Stroke[];
  readonly names: readonly Anchor[];
  /** Caption, broken into lines that fit the width. */
  readonly lines: readonly string[];
  readonly title: string;
}

/** Text of any origin inside a document or one of its attributes. XML has no way to say a control character. */
export const escapeXml = (text: string): string =>
  text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const hex = (rgb: Rgb): string => `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
const px = (value: number): string => String(Math.round(value * 100) / 100);

export function drawingOf({ scene, strokes, names, lines, title }: Drawing, theme: Theme): string {
  const { width, height } = scene.size;
  const xy = new Float32Array((scene.to.length / 3) * 2);
  const nearness = new Float32Array(scene.to.length / 3);
  project(scene.to, scene.camera, scene.size, xy, nearness);
  const total = height + lines.length * CAPTION_LINE + CAPTION_LINE / 2;
  const font = escapeXml(theme.font);
  const [ground, ink] = [hex(scene.ground), hex(scene.ink)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${px(width)}" height="${px(total)}"`,
    ` viewBox="0 0 ${px(width)} ${px(total)}" font-family="${font}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="${ground}"/>`,
    `<g class="trails" fill="none" stroke-width="${TRAIL_WIDTH}" stroke-linecap="round">${strokes.map(path).join("")}</g>`,
    ...scene.passes.filter((pass) => pass.name !== "specks").map((pass) => circles(pass, scene, xy, nearness)),
    `<g class="names" font-size="${NAME_PX}" font-weight="600" text-anchor="middle" dominant-baseline="central"`,
    ` fill="${ink}" stroke="${ground}" stroke-width="${NAME_HALO}" stroke-linejoin="round" paint-order="stroke">`,
    ...names.map((name) => `<text x="${px(name.x)}" y="${px(name.y)}">${escapeXml(name.text)}</text>`),
    `</g><g class="caption" font-size="${CAPTION_PX}" fill="${ink}">`,
    ...lines.map((line, k) => `<text x="8" y="${px(height + (k + 0.75) * CAPTION_LINE)}">${escapeXml(line)}</text>`),
    "</g></svg>\n",
  ].join("");
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
    const radius = radiusIn(pass, scene, i) * Math.min(Math.max(nearness[i] as number, 0.6), 1.6);
    if (x < -radius || y < -radius || x > width + radius || y > height + radius) continue;
    const rgb = scene.colors.subarray(4 * i, 4 * i + 3);
    const fill = pass.fill === "each" ? ` fill="${hex([rgb[0] as number, rgb[1] as number, rgb[2] as number])}"` : "";
    marks.push(`<circle cx="${px(x)}" cy="${px(y)}" r="${px(radius)}"${fill}${alpha}/>`);
  }
  const fill = pass.fill === "none" ? ' fill="none"' : "";
  const name = pass.name.replace(" ", "-");
  return `<g class="${name}" stroke="${stroke}" stroke-width="${pass.line}"${fill}>${marks.join("")}</g>`;
}
