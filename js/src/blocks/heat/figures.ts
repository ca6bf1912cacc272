/** The linked figures: the picture with heat over it, and a panel for each map of the square's positions. */

import { drawPixels, drawScale, prepareCanvas } from "../../kernel/canvas.ts";
import type { Theme } from "../../kernel/color.ts";
import { make, setText } from "../../kernel/dom.ts";
import { formatCount, shortened } from "../../kernel/format.ts";
import { type PanelMap, type Result, className } from "./data.ts";
import { type Cell, type Positions, type Sizes, cellEdges, fit } from "./geometry.ts";
import { MUTED, classColor, paintCells, paintNames, scaleOf, valueColor } from "./paint.ts";
import { heatBar, heatPixels, scaleTicks } from "./pixels.ts";
import { findRegions, paletteSlots } from "./regions.ts";
import { formatEnd } from "./table.ts";

/** The overlay marks the square itself, the panels a crosshair through its centre. */
function makeFigure(mark: "square" | "cross") {
  const title = make("div", "nnw-heat-title nnw-cut");
  const sub = make("div", "nnw-heat-sub nnw-cut");
  const canvas = make("canvas");
  const marks = mark === "square" ? ["nnw-heat-square"] : ["nnw-heat-row", "nnw-heat-col", "nnw-heat-cell"];
  const frame = make("div", "nnw-heat-frame", canvas, ...marks.map((kind) => make("div", kind)));
  const below = make("div", "nnw-heat-below");
  const element = make("div", mark === "square" ? "nnw-heat-overlay" : "nnw-heat-panel", title, sub, frame, below);
  return {
    element,
    /** What the pointer is followed in; as large as the picture. */
    frame,
    canvas,
    /** Room for a scale bar or a legend. */
    below,
    setTitle(text: string, subText: string): void {
      if (title.dataset.text !== text) {
        // Backticks mark a layer's name, which is set in the code font.
        title.replaceChildren(...text.split("`").map((part, k) => (k % 2 ? make("code", "", part) : part)));
        title.dataset.text = text;
      }
      title.title = text.replaceAll("`", "");
      setText(sub, subText);
      sub.title = subText;
    },
    resize(width: number, height: number, box: number): void {
      element.style.width = `${box}px`;
      frame.style.width = `${width}px`;
      frame.style.height = `${height}px`;
    },
  };
}

const BAR_HEIGHT = 8;

function makeScaleBar(withTicks: boolean) {
  const canvas = make("canvas");
  const words = make("div", "nnw-heat-labels");
  const element = make("div", "nnw-heat-scale", canvas, words);
  return {
    element,
    /** Labels by their place (0–1) along the bar; the unit joins the one in the middle, else fills the widest gap. */
    draw(width: number, labels: readonly (readonly [at: number, text: string])[], unit: string) {
      const middle = labels.find(([at]) => at > 0.4 && at < 0.6);
      const named = labels.map(([at, text]): [number, string] => [at, at === middle?.[0] ? `${text} · ${unit}` : text]);
      const marks = named.flatMap(([at, text]) => label(at, text, width, withTicks));
      const word = make("span", "nnw-heat-unit", middle ? "" : unit);
      word.style.left = `${100 * widestGap(labels.map(([at]) => at))}%`;
      words.replaceChildren(...marks, word);
      return prepareCanvas(canvas, width, BAR_HEIGHT);
    },
  };
}

/** The middle of the widest gap between labels; those flush with an end reach into the bar. */
function widestGap(places: readonly number[]): number {
  const stops = [0, ...places.map((at) => (at < 0.05 ? at + 0.1 : at > 0.95 ? at - 0.15 : at)), 1];
  const gaps = stops.slice(1).map((stop, k) => ({ size: stop - stops[k]!, middle: (stop + stops[k]!) / 2 }));
  return gaps.reduce((a, b) => (b.size > a.size ? b : a)).middle;
}

/** A label centred on its tick; near an end it is flush with that end. */
function label(at: number, text: string, width: number, withTick: boolean): HTMLElement[] {
  const near = Math.min(at, 1 - at) * width < 12;
  const words = make("span", "nnw-heat-label", text);
  words.dataset.side = !near ? "middle" : at < 0.5 ? "start" : "end";
  words.style.left = `${at * 100}%`;
  if (!withTick) return [words];
  const tick = make("i", "nnw-heat-tick");
  tick.style.left = `min(${at * 100}%, 100% - 1px)`;
  return [tick, words];
}

/** `follow` is called once with each figure's frame and the panel it shows, -1 for the overlay. */
export function makeFigures(follow: (frame: HTMLElement, panel: number) => void) {
  const overlay = makeFigure("square");
  const bar = makeScaleBar(true);
  overlay.below.append(bar.element);
  follow(overlay.frame, -1);
  const element = make("div", "nnw-heat-panels");
  const panels: PanelFigure[] = [];

  return {
    overlay: overlay.element,
    panels: element,
    describe({ block, panels: shown }: Result): void {
      overlay.setTitle(block.title, block.note);
      while (panels.length < shown.length) {
        const panel = makePanel();
        follow(panel.frame, panels.length);
        panels.push(panel);
      }
      // An element that is taken out under the pointer is left by it.
      while (element.childElementCount > shown.length) element.lastElementChild!.remove();
      for (const { element: panel } of panels.slice(element.childElementCount, shown.length)) element.append(panel);
      shown.forEach(({ words }, k) => panels[k]!.setTitle(words.title, words.note));
    },
    resize(layout: Sizes, { size }: Result): void {
      overlay.resize(...fit(size, layout.overlay), layout.overlay);
      for (const panel of panels) panel.resize(...fit(size, layout.panel), layout.panel);
    },
    paint(result: Result, layout: Sizes, opacity: number, theme: Theme): void {
      paintHeat(overlay, bar, result, layout.overlay, opacity, theme);
      result.panels.forEach((panel, k) => {
        const figure = panels[k]!;
        const below = panel.classes ? figure.legend : figure.bar.element;
        if (figure.below.firstChild !== below) figure.below.replaceChildren(below);
        if (panel.classes) paintClasses(figure, panel, panel.classes, result, layout.panel, theme);
        else paintValues(figure, panel, result, layout.panel, theme);
      });
    },
  };
}

type Figure = ReturnType<typeof makeFigure>;
type ScaleBar = ReturnType<typeof makeScaleBar>;
type PanelFigure = ReturnType<typeof makePanel>;

function makePanel() {
  return { ...makeFigure("cross"), bar: makeScaleBar(false), legend: make("div", "nnw-heat-legend") };
}

/** Puts the square and the crosshairs at a position; one write moves all, as the style reads these variables. */
export function markCell(stage: HTMLElement, positions: Positions, cell: Cell): void {
  const axes = [
    ["y", positions.rows, cell.i, positions.patch[0], positions.size[0]],
    ["x", positions.cols, cell.j, positions.patch[1], positions.size[1]],
  ] as const;
  for (const [axis, origins, index, patch, length] of axes) {
    const edges = cellEdges(origins, patch);
    const set = (name: string, pixels: number): void =>
      stage.style.setProperty(`--nnw-${name}-${axis}`, `${(100 * pixels) / length}%`);
    set("from", origins[index]!);
    set("patch", patch);
    set("centre", origins[index]! + patch / 2);
    set("cell", edges[index]!);
    set("step", edges[index + 1]! - edges[index]!);
  }
}

function paintHeat(figure: Figure, bar: ScaleBar, result: Result, box: number, opacity: number, theme: Theme): void {
  const { block, size } = result;
  const { low, high } = block;
  const [width, height] = fit(size, box);
  const most = Math.max(Math.abs(low), Math.abs(high));
  const context = prepareCanvas(figure.canvas, width, height);
  const picture = block.picture?.data ?? new Uint8Array(size[0] * size[1]);
  const pixels = heatPixels(picture, block.values.data, size, most, opacity);
  // The picture is its own ground: the hatch over it is the same in both themes.
  const hatched = { ...theme, error: "rgb(255 255 255 / 35%)" };
  if (context) drawPixels(context, pixels, { x: 0, y: 0, width, height }, hatched);
  const labels = scaleTicks(low, high, box).map((value): [number, string] => [
    (value - low) / (high - low || 1),
    formatEnd(value, block.decimals),
  ]);
  const strip = bar.draw(box, labels, block.unit);
  const to = { x: 0, y: 0, width: box, height: BAR_HEIGHT };
  if (strip) drawPixels(strip, heatBar(low, high, opacity, box), to, theme);
}

function paintValues(figure: PanelFigure, panel: PanelMap, result: Result, box: number, theme: Theme): void {
  const { positions } = result;
  const { words } = panel;
  const [width, height] = fit(positions.size, box);
  const scale = scaleOf(words, theme);
  const context = prepareCanvas(figure.canvas, width, height);
  const to = { x: 0, y: 0, width, height };
  if (context) paintCells(context, to, positions, valueColor(panel.values, scale), result.computed, theme);
  const ends: [number, string][] = [
    [0, formatEnd(scale.lo, words.decimals)],
    [1, formatEnd(scale.hi, words.decimals)],
  ];
  if (scale.lo < 0) ends.splice(1, 0, [0.5, "0"]);
  const strip = figure.bar.draw(box, ends, words.unit);
  if (strip) drawScale(strip, scale.lut, { x: 0, y: 0, width: box, height: BAR_HEIGHT }, theme);
}

function paintClasses(
  figure: PanelFigure,
  { words, classWithout: unchanged }: PanelMap,
  classes: Int32Array,
  result: Result,
  box: number,
  theme: Theme,
): void {
  const { positions } = result;
  const [width, height] = fit(positions.size, box);
  const slots = paletteSlots(words.legend.map(([label]) => label), theme.classes.length);
  const hexOf = (label: number): string => theme.classes[slots.get(label) ?? label % theme.classes.length]!;
  const context = prepareCanvas(figure.canvas, width, height);
  if (context) {
    const to = { x: 0, y: 0, width, height };
    const colorOf = (cell: number): number | null =>
      classes[cell]! < 0 ? null : classColor(hexOf(classes[cell]!), classes[cell] === unchanged);
    paintCells(context, to, positions, colorOf, result.computed, theme);
    const shown = classes.map((label, at) => (result.computed(at) ? label : -1));
    const regions = findRegions(shown, positions.rows.length, positions.cols.length);
    // The unchanged class is named once; what is left of it between the changed regions needs no name.
    const main = regions.find(({ label }) => label === unchanged);
    const named = regions.filter((region) => region.label !== unchanged || region === main);
    paintNames(context, to, positions, named, (label) => className(words, label), theme);
  }
  figure.legend.replaceChildren(
    ...words.legend
      .filter(([, , share]) => share > 0)
      .map(([label, name, share]) => {
        const swatch = make("i", "nnw-heat-swatch");
        swatch.style.background = hexOf(label);
        swatch.style.opacity = String(label === unchanged ? MUTED : 1);
        const part = make("span", "nnw-heat-share", percent(share));
        const key = make("span", "nnw-heat-key", swatch, make("span", "", shortened(name, LONGEST_KEY)), part);
        key.title = name;
        return key;
      }),
  );
}

/** Letters of a name in the legend that stand beside its share within the smallest figure. */
const LONGEST_KEY = 14;

/** A share as a whole percentage; what is there but under one is not called nothing. */
export function percent(share: number): string {
  const text = share > 0 && share < 0.005 ? "<1" : formatCount(100 * share);
  return `${text}\u202f%`;
}
