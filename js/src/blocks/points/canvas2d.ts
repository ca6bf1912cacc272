/** Points by the processor, for browsers without a graphics card: the same marks in the same order as WebGL's. */

import { magnified, project } from "./camera.ts";
import type { Pass } from "./passes.ts";
import { type PointRenderer, type Scene, radiusIn, strokeOf } from "./renderer.ts";
import { Pixmap } from "./stamps.ts";

class CanvasRenderer implements PointRenderer {
  readonly kind = "2d";
  readonly #context: CanvasRenderingContext2D;
  #pixmap = new Pixmap(0, 0);
  #image: ImageData | null = null;

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context;
  }

  draw(scene: Scene): void {
    const { width, height } = this.#context.canvas;
    if (width === 0 || height === 0) return;
    if (!this.#image || this.#pixmap.width !== width || this.#pixmap.height !== height) {
      this.#pixmap = new Pixmap(width, height);
      this.#image = this.#context.createImageData(width, height);
    }
    const n = scene.to.length / 3;
    const [xy, nearness] = [new Float32Array(2 * n), new Float32Array(n)];
    project(placesOf(scene), scene.camera, scene.size, xy, nearness);
    this.#pixmap.clear();
    for (const pass of scene.passes) this.#stamp(pass, scene, xy, nearness);
    this.#pixmap.write(this.#image.data);
    this.#context.putImageData(this.#image, 0, 0);
  }

  #stamp(pass: Pass, scene: Scene, xy: Float32Array, nearness: Float32Array): void {
    const { pixelRatio, colors, ink, size } = scene;
    const pixmap = this.#pixmap;
    const [right, down] = [pixmap.width / size.width, pixmap.height / size.height];
    const each = pass.fill === "each";
    pixmap.dip({
      line: pass.line * pixelRatio,
      stroke: strokeOf(pass, scene),
      filled: pass.fill !== "none",
      alpha: pass.alpha,
    });
    for (let k = 0; k < pass.members.length; k++) {
      const i = pass.members[k] as number;
      pixmap.stamp(
        (xy[2 * i] as number) * right,
        (xy[2 * i + 1] as number) * down,
        radiusIn(pass, scene, i) * magnified(nearness[i] as number) * pixelRatio,
        each ? (colors[4 * i] as number) : ink[0],
        each ? (colors[4 * i + 1] as number) : ink[1],
        each ? (colors[4 * i + 2] as number) : ink[2],
      );
    }
  }

  dispose(): void {}
}

/** Where the points are on their way. */
function placesOf({ from, to, share }: Scene): Float32Array {
  if (share >= 1) return to;
  return to.map((end, i) => {
    const start = from[i] as number;
    return start + (end - start) * share;
  });
}

/** A renderer on this canvas, or null where there is no canvas at all. */
export function canvasRenderer(canvas: HTMLCanvasElement): PointRenderer | null {
  const context = canvas.getContext("2d");
  return context ? new CanvasRenderer(context) : null;
}
