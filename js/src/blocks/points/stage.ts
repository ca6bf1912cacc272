/**
 * The picture: cloud, camera, move under way, what stands out. Answers where points are and what is under the pointer.
 * Knows its two canvases; knows nothing of messages, tools or the legend.
 */

import { prepareCanvas } from "../../kernel/canvas.ts";
import type { Theme } from "../../kernel/color.ts";
import { make } from "../../kernel/dom.ts";
import { type Size, project } from "./camera.ts";
import { type Cloud, EMPTY_CLOUD, type Showing, standings } from "./cloud.ts";
import { type Anchor, medoids } from "./labels.ts";
import { type Looks, looksOf, sizeFactor } from "./looks.ts";
import { type OverlayState, drawOverlay, namesOf, paintedColor, pointColors } from "./paint.ts";
import { type Pass, type Scene, buildPasses, farToNear, pointRadius } from "./passes.ts";
import { PickGrid, nearestTowards, rowsInside } from "./picking.ts";
import { type Surface, makeSurface } from "./surface.ts";
import { type Stroke, type Trails, drawStrokes, strokesUnder } from "./trails.ts";
import { Viewpoint } from "./viewpoint.ts";

const NEAR_PX = 10;

export interface Still {
  readonly scene: Scene;
  readonly strokes: readonly Stroke[];
  readonly names: readonly Anchor[];
  paint(context: CanvasRenderingContext2D): void;
}

export class Stage {
  looks: Looks = looksOf(EMPTY_CLOUD, [], "class", "equal", null);
  /** Rows under the pointer and looked at; -1 for none. */
  hovered = -1;
  sample = -1;
  /** Whether the picture last drawn is one on the way. */
  moving = false;
  #outline: readonly number[] | null = null;
  #trails: Trails | null = null;
  /** Rows nearest to the sample looked at. */
  #near: readonly number[] = [];
  #showing: Showing = { on: [], onlyWrong: false, selected: new Set(), found: null };
  readonly #view = new Viewpoint();
  readonly #surface: Surface;
  #standing: Uint8Array = new Uint8Array(0);
  #pickable: Uint8Array = new Uint8Array(0);
  #medoids: Int32Array = new Int32Array(0);
  #passes: Pass[] = [];
  #colors: Uint8Array = new Uint8Array(0);
  #colorKey = "";
  #xy: Float32Array | null = null;
  /** How near the eye each point was drawn; null in a flat map. */
  #nearness: Float32Array | null = null;
  #grid: PickGrid | null = null;
  #pixelRatio = 1;
  #dirty = true;
  readonly #underlay = make("canvas", "nnw-points-trails");
  readonly #host: HTMLElement;
  readonly #overlay: HTMLCanvasElement;
  readonly #redraw: () => void;

  constructor(host: HTMLElement, overlay: HTMLCanvasElement, redraw: () => void) {
    this.#host = host;
    this.#overlay = overlay;
    this.#redraw = redraw;
    this.#surface = makeSurface(host, () => this.#changed());
    host.prepend(this.#underlay);
  }

  get cloud(): Cloud {
    return this.looks.cloud;
  }

  get size(): Size {
    return this.#view.size;
  }

  get radius(): number {
    return pointRadius(this.cloud.n, this.size.height);
  }

  get turns(): boolean {
    return this.cloud.dims === 3;
  }

  /** Draws in the looks that were set; points that have `moved` glide from where they were to their new places. */
  show(showing: Showing, moved: boolean): void {
    const { looks } = this;
    if (moved) this.#resize();
    this.#medoids = looks.named ? medoids(looks.grouped) : new Int32Array(0);
    this.setShowing(showing);
    if (moved && this.#view.show(looks.cloud)) this.#changed();
  }

  setShowing(showing: Showing): void {
    this.#showing = showing;
    this.#standing = standings(this.looks.grouped, showing);
    this.#pickable = this.#standing.map((standing) => (standing > 0 ? 1 : 0));
    this.#passes = buildPasses(this.cloud, showing, this.#standing, this.radius);
    this.#colorKey = "";
    this.#grid = null;
    this.#changed();
  }

  /** Marks a row as the one looked at, and those nearest to it; -1 for none. */
  look(sample: number, near: readonly number[]): void {
    this.sample = sample;
    this.#near = near;
    this.#changed();
  }

  set trails(trails: Trails | null) {
    this.#trails = trails;
    this.#changed();
  }

  /** The box or lasso under way. */
  set outline(polygon: readonly number[] | null) {
    this.#outline = polygon;
    this.#redraw();
  }

  /** Looks from elsewhere: fit, zoom, pan, orbit. */
  steer(change: (view: Viewpoint) => void): void {
    change(this.#view);
    this.#changed();
  }

  /** Screen positions, n × 2 in CSS px; worked out only when someone asks. */
  screen(): Float32Array {
    if (!this.#xy) {
      this.#xy = new Float32Array(2 * this.cloud.n);
      project(this.#view.motion.positions(performance.now()), this.#view.camera, this.size, this.#xy);
    }
    return this.#xy;
  }

  /** Row of the point at (x, y), or -1: in 3-D the one in front of what else is drawn there. */
  pick(x: number, y: number): number {
    const near = this.#nearness;
    const front = near ? this.#picking().frontmost(x, y, NEAR_PX, this.#radiusOf, near) : -1;
    return front >= 0 ? front : this.#picking().nearest(x, y, NEAR_PX);
  }

  /** Where a tooltip card hides the fewest points is asked of this. */
  readonly count = (left: number, top: number, right: number, bottom: number): number =>
    this.#picking().count(left, top, right, bottom);

  rowsInside(polygon: readonly number[]): number[] {
    return rowsInside(this.screen(), this.#pickable, polygon);
  }

  /** The next point in a direction from a row, or the first point that can be hit. */
  towards(row: number, dx: number, dy: number): number {
    return row < 0 ? this.#pickable.indexOf(1) : nearestTowards(this.screen(), this.#pickable, row, dx, dy);
  }

  draw(theme: Theme): void {
    this.#resize();
    if (this.size.width === 0 || this.size.height === 0) return;
    const now = performance.now();
    this.moving = this.#view.motion.running(now);
    this.#recolor(theme);
    if (this.#dirty || this.moving) {
      this.#xy = null;
      this.#grid = null;
      this.#surface.draw(this.#scene(theme, now));
      const context = prepareCanvas(this.#underlay, this.size.width, this.size.height);
      if (context) drawStrokes(context, this.#strokes(theme, now));
    }
    this.#dirty = this.moving;
    this.#drawMarks(theme);
    this.#host.classList.toggle("nnw-points-waiting", this.cloud.n === 0);
    this.#overlay.dataset.count = String(this.cloud.n);
    this.#overlay.dataset.renderer = this.#surface.kind();
    this.#overlay.dataset.moving = String(this.moving);
    if (this.moving) this.#redraw();
  }

  /** Rows of the points that are not hidden, in sight or not. */
  shownRows(): number[] {
    return Array.from(this.#pickable.keys()).filter((row) => this.#pickable[row]);
  }

  /** The map at rest as it would be drawn now, the names in it, and how to paint both: to be saved. */
  still(theme: Theme): Still {
    this.#recolor(theme);
    const [scene, strokes] = [this.#scene(theme, Infinity), this.#strokes(theme, Infinity)];
    const xy = new Float32Array(2 * this.cloud.n);
    project(scene.to, scene.camera, this.size, xy);
    const marks: OverlayState = { ...this.#marks(xy), hovered: -1, outline: null };
    const context = this.#overlay.getContext("2d");
    return {
      scene,
      strokes,
      names: context ? namesOf(context, marks, theme) : [],
      paint: (to) => {
        drawStrokes(to, strokes);
        this.#surface.paint(scene, to);
        drawOverlay(to, marks, theme);
        this.#changed();
      },
    };
  }

  dispose(): void {
    this.#surface.dispose();
  }

  readonly #radiusOf = (row: number): number => this.radius * sizeFactor(this.looks.size, row);

  #changed(): void {
    this.#dirty = true;
    this.#redraw();
  }

  #picking(): PickGrid {
    this.#grid ??= new PickGrid(this.screen(), this.#pickable, this.size.width, this.size.height);
    return this.#grid;
  }

  #resize(): void {
    const size = { width: this.#host.clientWidth, height: this.#host.clientHeight };
    const ratio = globalThis.devicePixelRatio || 1;
    if (ratio !== this.#pixelRatio) this.#dirty = true;
    this.#pixelRatio = ratio;
    if (size.width === this.size.width && size.height === this.size.height) return;
    const radius = this.radius;
    this.#view.resize(size);
    this.#dirty = true;
    if (this.radius !== radius) this.setShowing(this.#showing);
  }

  #recolor(theme: Theme): void {
    const key = `${theme.dark} ${theme.text2} ${theme.behind}`;
    if (key === this.#colorKey) return;
    this.#colorKey = key;
    const grey = paintedColor(theme.text2, theme.behind);
    this.#colors = pointColors(this.looks, this.#standing, this.#showing.on, theme, grey);
    this.#dirty = true;
  }

  #strokes(theme: Theme, now: number): Stroke[] {
    const [points, camera] = [this.#view.motion.positions(now), this.#view.motion.camera(now)];
    const hides = (row: number): boolean => !this.#pickable[row];
    const moment = { points, camera, unit: this.cloud.unit, colors: this.#colors, size: this.size, hides };
    return strokesUnder(this.#trails, this.sample, this.#near, moment, theme.brand);
  }

  #scene(theme: Theme, now: number): Scene {
    const camera = this.#view.motion.camera(now);
    let passes: readonly Pass[] = this.#passes;
    this.#nearness = null;
    if (camera.perspective > 0) {
      const nearness = new Float32Array(this.cloud.n);
      this.#nearness = nearness;
      this.#xy = new Float32Array(2 * this.cloud.n);
      project(this.#view.motion.positions(now), camera, this.size, this.#xy, nearness);
      passes = this.#passes.map((pass) => ({ ...pass, members: farToNear(pass.members, nearness) }));
    }
    const { from, to } = this.#view.motion;
    return {
      from,
      to,
      share: this.#view.motion.share(now),
      camera,
      size: this.size,
      pixelRatio: this.#pixelRatio,
      colors: this.#colors,
      ink: paintedColor(theme.text, theme.behind),
      brand: paintedColor(theme.brand, theme.behind),
      ground: paintedColor(theme.behind, theme.behind),
      passes,
    };
  }

  #drawMarks(theme: Theme): void {
    const context = prepareCanvas(this.#overlay, this.size.width, this.size.height);
    if (context) drawOverlay(context, this.#marks(this.#marked()), theme);
  }

  #marks(xy: Float32Array): OverlayState {
    const { hovered, sample } = this;
    const [{ grouped: cloud }, { on }, outline] = [this.looks, this.#showing, this.#outline];
    return { cloud, medoids: this.#medoids, on, xy, ...this.size, radiusOf: this.#radiusOf, hovered, sample, outline };
  }

  /** Screen positions of the few rows that carry marks; others may be missing while the cloud moves. */
  #marked(): Float32Array {
    if (this.#xy) return this.#xy;
    const out = new Float32Array(2 * this.cloud.n);
    const now = performance.now();
    const [share, camera, one] = [this.#view.motion.share(now), this.#view.motion.camera(now), new Float32Array(2)];
    for (const row of [...this.#medoids, this.hovered, this.sample]) {
      if (row < 0) continue;
      project(this.#view.motion.position(row, share), camera, this.size, one);
      out.set(one, 2 * row);
    }
    return out;
  }
}
