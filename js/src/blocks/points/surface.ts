/** The points' canvas and its renderer: WebGL2, or the processor without a graphics card or when its context is lost. */

import { make } from "../../kernel/dom.ts";
import type { PointRenderer, Scene } from "./renderer.ts";
import { canvasRenderer } from "./canvas2d.ts";
import { webglRenderer } from "./webgl.ts";

/** A context that is not given back within this time (a reset card, too many contexts) is given up. */
const RESTORE_MS = 2000;

export class Surface {
  #canvas: HTMLCanvasElement;
  #renderer: PointRenderer | null = null;
  #giveUp: ReturnType<typeof setTimeout> | undefined;
  readonly #abort = new AbortController();
  readonly #redraw: () => void;

  constructor(host: HTMLElement, redraw: () => void) {
    this.#redraw = redraw;
    this.#canvas = this.#freshCanvas();
    host.prepend(this.#canvas);
    this.#renderer = webglRenderer(this.#canvas);
    if (!this.#renderer) this.#fallBack();
  }

  get kind(): string {
    return this.#renderer?.kind ?? "none";
  }

  draw(scene: Scene): void {
    const [width, height] = [scene.size.width * scene.pixelRatio, scene.size.height * scene.pixelRatio].map(Math.round);
    if (this.#canvas.width !== width) this.#canvas.width = width as number;
    if (this.#canvas.height !== height) this.#canvas.height = height as number;
    this.#renderer?.draw(scene);
  }

  /** Draws a scene and copies it: what WebGL has drawn is there only until the page is put together. */
  paint(scene: Scene, context: CanvasRenderingContext2D): void {
    this.draw(scene);
    context.drawImage(this.#canvas, 0, 0, scene.size.width, scene.size.height);
  }

  dispose(): void {
    this.#abort.abort();
    clearTimeout(this.#giveUp);
    this.#renderer?.dispose?.();
  }

  #freshCanvas(): HTMLCanvasElement {
    const canvas = make("canvas", "nnw-points-canvas");
    canvas.ariaHidden = "true";
    const { signal } = this.#abort;
    canvas.addEventListener("webglcontextlost", (event) => this.#lost(event), { signal });
    canvas.addEventListener("webglcontextrestored", () => this.#restored(), { signal });
    return canvas;
  }

  #lost(event: Event): void {
    // Without this the browser never restores the context.
    event.preventDefault();
    clearTimeout(this.#giveUp);
    this.#giveUp = setTimeout(() => this.#fallBack(), RESTORE_MS);
  }

  #restored(): void {
    if (this.kind === "2d") return;
    clearTimeout(this.#giveUp);
    // All buffers died with the old context; a new renderer uploads everything again.
    this.#renderer = webglRenderer(this.#canvas);
    if (!this.#renderer) this.#fallBack();
    this.#redraw();
  }

  /** A canvas that has had a WebGL context can have no other: it is replaced. */
  #fallBack(): void {
    const canvas = this.#freshCanvas();
    this.#canvas.replaceWith(canvas);
    this.#canvas = canvas;
    this.#renderer = canvasRenderer(canvas);
    this.#redraw();
  }
}
