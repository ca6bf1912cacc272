/** The points' canvas and its renderer: WebGL2, or the processor where there is no graphics card or it is lost. */

import { make } from "../../kernel/dom.ts";
import type { Scene } from "./passes.ts";
import { canvasRenderer } from "./canvas2d.ts";
import { webglRenderer } from "./webgl.ts";

/** A context that is not given back within this time (a reset card, too many contexts) is given up. */
const RESTORE_MS = 2000;

export type Surface = ReturnType<typeof makeSurface>;

export function makeSurface(host: HTMLElement, redraw: () => void) {
  const abort = new AbortController();
  let canvas = freshCanvas();
  host.prepend(canvas);
  let renderer = webglRenderer(canvas);
  let giveUp: ReturnType<typeof setTimeout> | undefined;
  if (!renderer) fallBack();

  function freshCanvas(): HTMLCanvasElement {
    const fresh = make("canvas", "nnw-points-canvas");
    const { signal } = abort;
    fresh.ariaHidden = "true";
    fresh.addEventListener("webglcontextlost", lose, { signal });
    fresh.addEventListener("webglcontextrestored", restore, { signal });
    return fresh;
  }

  function lose(event: Event): void {
    // Without this the browser never restores the context.
    event.preventDefault();
    clearTimeout(giveUp);
    giveUp = setTimeout(fallBack, RESTORE_MS);
  }

  function restore(): void {
    if (renderer?.kind === "2d") return;
    clearTimeout(giveUp);
    // All buffers died with the old context; a new renderer uploads everything again.
    renderer = webglRenderer(canvas);
    if (!renderer) fallBack();
    redraw();
  }

  /** A canvas that has had a WebGL context can have no other: it is replaced. */
  function fallBack(): void {
    const fresh = freshCanvas();
    canvas.replaceWith(fresh);
    canvas = fresh;
    renderer = canvasRenderer(fresh);
    redraw();
  }

  function draw(scene: Scene): void {
    const { size, pixelRatio } = scene;
    const [width, height] = [Math.round(size.width * pixelRatio), Math.round(size.height * pixelRatio)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    renderer?.draw(scene);
  }

  return {
    kind: () => renderer?.kind ?? "none",
    draw,
    /** Draws a scene and copies it: what WebGL has drawn is there only until the page is put together. */
    paint(scene: Scene, context: CanvasRenderingContext2D): void {
      draw(scene);
      context.drawImage(canvas, 0, 0, scene.size.width, scene.size.height);
    },
    dispose(): void {
      abort.abort();
      clearTimeout(giveUp);
      renderer?.dispose?.();
    },
  };
}
