/** Renderer for browsers without a graphics card: the same marks in the same order as with WebGL2. */

import { magnified, project } from "./camera.ts";
import { placesBetween } from "./motion.ts";
import { type Pass, type PointRenderer, type Scene, radiusIn, strokeOf } from "./passes.ts";
import { Pixmap } from "./stamps.ts";

/** A renderer on this canvas, or null where there is no canvas at all. */
export function canvasRenderer(canvas: HTMLCanvasElement): PointRenderer | null {
  const context = canvas.getContext("2d");
  if (!context) return null;
  let pixmap = new Pixmap(0, 0);
  let image: ImageData | null = null;
  return {
    kind: "2d",
    draw(scene) {
      const { width, height } = canvas;
      if (width === 0 || height === 0) return;
      if (!image || pixmap.width !== width || pixmap.height !== height) {
        pixmap = new Pixmap(width, height);
        image = context.createImageData(width, height);
      }
      const n = scene.to.length / 3;
      const [xy, nearness] = [new Float32Array(2 * n), new Float32Array(n)];
      project(placesBetween(scene.from, scene.to, scene.share), scene.camera, scene.size, xy, nearness);
      pixmap.clear();
      for (const pass of scene.passes) stampPass(pixmap, pass, scene, xy, nearness);
      pixmap.write(image.data);
      context.putImageData(image, 0, 0);
    },
  };
}

function stampPass(pixmap: Pixmap, pass: Pass, scene: Scene, xy: Float32Array, nearness: Float32Array): void {
  const { pixelRatio, colors, ink, size } = scene;
  const [right, down] = [pixmap.width / size.width, pixmap.height / size.height];
  const each = pass.fill === "each";
  const [filled, stroke] = [pass.fill !== "none", strokeOf(pass, scene)];
  pixmap.dip({ line: pass.line * pixelRatio, stroke, filled, alpha: pass.alpha });
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
