/** Points on a 2-D canvas, for browsers without WebGL2. One sprite per pass and colour; same marks, same order. */

import type { Rgb } from "../kernel/color.ts";
import { magnified, project } from "./camera.ts";
import type { Pass } from "./passes.ts";
import { type PointRenderer, type Scene, radiusIn, strokeOf } from "./renderer.ts";

const css = (rgb: Rgb): string => `rgb(${rgb[0]} ${rgb[1]} ${rgb[2]})`;

function sprite(pass: Pass, fill: Rgb, scene: Scene): HTMLCanvasElement {
  const ratio = scene.pixelRatio;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil((2 * pass.radius + pass.line) * ratio) + 2;
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  context.globalAlpha = pass.alpha;
  context.beginPath();
  context.arc(
    canvas.width / 2,
    canvas.width / 2,
    (pass.radius + (pass.fill === "none" ? 0 : pass.line / 2)) * ratio,
    0,
    2 * Math.PI,
  );
  if (pass.fill === "none") {
    context.lineWidth = pass.line * ratio;
    context.strokeStyle = css(strokeOf(pass, scene));
    context.stroke();
    return canvas;
  }
  // The line first and the core over it, so that a half-clear mark has no darker seam.
  context.fillStyle = css(pass.line === 0 ? fill : strokeOf(pass, scene));
  context.fill();
  context.globalCompositeOperation = "source-atop";
  context.globalAlpha = 1;
  context.beginPath();
  context.arc(canvas.width / 2, canvas.width / 2, (pass.radius - pass.line / 2) * ratio, 0, 2 * Math.PI);
  context.fillStyle = css(fill);
  context.fill();
  return canvas;
}

class CanvasRenderer implements PointRenderer {
  readonly kind = "2d";
  readonly #context: CanvasRenderingContext2D;

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context;
  }

  draw(scene: Scene): void {
    const context = this.#context;
    const points = scene.to.slice();
    if (scene.share < 1) {
      for (let i = 0; i < points.length; i++) {
        points[i] = (scene.from[i] as number) + ((scene.to[i] as number) - (scene.from[i] as number)) * scene.share;
      }
    }
    const xy = new Float32Array((points.length / 3) * 2);
    const nearness = new Float32Array(points.length / 3);
    project(points, scene.camera, scene.size, xy, nearness);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    for (const pass of scene.passes) this.#stamp(pass, scene, xy, nearness);
  }

  #stamp(pass: Pass, scene: Scene, xy: Float32Array, nearness: Float32Array): void {
    const sprites = new Map<number, HTMLCanvasElement>();
    for (const i of pass.members) {
      const at = 4 * i;
      const rgb: Rgb = [scene.colors[at] as number, scene.colors[at + 1] as number, scene.colors[at + 2] as number];
      const key = pass.fill === "each" ? (rgb[0] << 16) | (rgb[1] << 8) | rgb[2] : 0;
      let mark = sprites.get(key);
      if (!mark) {
        mark = sprite(pass, pass.fill === "each" ? rgb : scene.ink, scene);
        sprites.set(key, mark);
      }
      const grown = radiusIn(pass, scene, i) / pass.radius;
      const width = mark.width * grown * magnified(nearness[i] as number);
      const left = (xy[2 * i] as number) * scene.pixelRatio - width / 2;
      const top = (xy[2 * i + 1] as number) * scene.pixelRatio - width / 2;
      this.#context.drawImage(mark, left, top, width, width);
    }
  }

  dispose(): void {}
}

/** A renderer on this canvas, or null where there is no canvas at all. */
export function canvasRenderer(canvas: HTMLCanvasElement): PointRenderer | null {
  const context = canvas.getContext("2d");
  return context ? new CanvasRenderer(context) : null;
}
