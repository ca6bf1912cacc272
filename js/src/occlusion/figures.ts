/** The four linked figures: the overlay and the maps of p, of the strongest map's sum and of the predicted class. */

import { drawScale, drawPixels, prepareCanvas } from "../kernel/canvas.ts";
import type { Theme } from "../kernel/color.ts";
import { make } from "../kernel/dom.ts";
import { formatCount } from "../kernel/format.ts";
import { BAR_HEIGHT, type Figure, type ScaleBar, makeFigure, makeScaleBar } from "./figure.ts";
import { type Cell, type Positions, type Sizes, cellEdges, fit } from "./geometry.ts";
import { heatBar, scaleTicks } from "./heat.ts";
import { MUTED, classColor, paintCells, paintNames, paintOverlay, scaleOf, valueColor } from "./paint.ts";
import { findRegions, paletteSlots } from "./regions.ts";
import { type OcclusionHeader, type Range, type Result, predictedLabels } from "./result.ts";
import { className, formatEnd } from "./table.ts";

export type FigureName = "overlay" | "p" | "map" | "class";

export interface Figures {
  byName: Record<FigureName, Figure>;
  describe(header: OcclusionHeader): void;
  resize(layout: Sizes, size: readonly [number, number]): void;
  paint(result: Result, layout: Sizes, opacity: number, theme: Theme): void;
}

export function makeFigures(): Figures {
  const byName = {
    overlay: makeFigure("overlay", "square"),
    p: makeFigure("p", "cross"),
    map: makeFigure("map", "cross"),
    class: makeFigure("class", "cross"),
  };
  const bars = { overlay: makeScaleBar(true), p: makeScaleBar(false), map: makeScaleBar(false) };
  const legend = make("div", "nnw-occ-legend");
  for (const name of ["overlay", "p", "map"] as const) byName[name].below.append(bars[name].element);
  byName.class.below.append(legend);

  return {
    byName,
    describe(header) {
      byName.overlay.setTitle(header.overlay_title, header.overlay_sub);
      for (const [k, name] of (["p", "map", "class"] as const).entries()) {
        byName[name].setTitle(header.panels[k]?.title ?? "", header.panels[k]?.sub ?? "");
      }
    },
    resize(layout, size) {
      byName.overlay.resize(...fit(size, layout.overlay), layout.overlay);
      for (const name of ["p", "map", "class"] as const) byName[name].resize(...fit(size, layout.panel), layout.panel);
    },
    paint(result, layout, opacity, theme) {
      const { header } = result;
      paintHeat(byName.overlay, bars.overlay, result, layout.overlay, opacity, theme);
      paintValues(byName.p, bars.p, result, result.p, header.scales.p, layout.panel, theme);
      paintValues(byName.map, bars.map, result, result.mapSum, header.scales.map_sum, layout.panel, theme);
      paintClasses(byName.class, legend, result, layout.panel, theme);
    },
  };
}

/** Puts the square and the crosshairs at a position; one write moves all four, as the style reads these variables. */
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

function paintHeat(
  figure: Figure,
  bar: ScaleBar,
  result: Result,
  box: number,
  opacity: number,
  theme: Theme,
): void {
  const { importance: range } = result.header.scales;
  const { size } = result.positions;
  const [width, height] = fit(size, box);
  const most = Math.max(Math.abs(range.lo), Math.abs(range.hi));
  const context = prepareCanvas(figure.canvas, width, height);
  const data = { picture: result.picture, importance: result.importance, size, most };
  if (context) paintOverlay(context, { x: 0, y: 0, width, height }, data, opacity, theme);
  const span = range.hi - range.lo || 1;
  const labels = scaleTicks(range.lo, range.hi, box).map((value): [number, string] => [
    (value - range.lo) / span,
    formatEnd(value, result.header.kind),
  ]);
  const strip = bar.draw(box, labels, range.unit);
  const to = { x: 0, y: 0, width: box, height: BAR_HEIGHT };
  if (strip) drawPixels(strip, heatBar(range.lo, range.hi, opacity, box), to, theme);
}

function paintValues(
  figure: Figure,
  bar: ScaleBar,
  result: Result,
  values: ArrayLike<number>,
  range: Range,
  box: number,
  theme: Theme,
): void {
  const { positions } = result;
  const [width, height] = fit(positions.size, box);
  const scale = scaleOf(range, theme);
  const context = prepareCanvas(figure.canvas, width, height);
  // p says which positions are computed; a sum that is missing there (no layer with maps) stays empty.
  const color = valueColor(values, scale);
  const colorOf = (cell: number): number | null => Number.isFinite(result.p[cell]!) ? (color(cell) ?? 0) : null;
  if (context) paintCells(context, { x: 0, y: 0, width, height }, positions, colorOf, theme.line);
  const kind = values === result.p ? result.header.kind : "logit";
  const ends: [number, string][] = [
    [0, formatEnd(scale.lo, kind)],
    [1, formatEnd(scale.hi, kind)],
  ];
  if (scale.lo < 0) ends.splice(1, 0, [0.5, "0"]);
  const strip = bar.draw(box, ends, range.unit);
  if (strip) drawScale(strip, scale.lut, { x: 0, y: 0, width: box, height: BAR_HEIGHT }, theme);
}

function paintClasses(figure: Figure, legend: HTMLElement, result: Result, box: number, theme: Theme): void {
  const { positions, header } = result;
  const [width, height] = fit(positions.size, box);
  const slots = paletteSlots(header.legend.map(([label]) => label), theme.classes.length);
  const hexOf = (label: number): string => theme.classes[slots.get(label) ?? label % theme.classes.length]!;
  const unchanged = header.clean.predicted;
  const labels = predictedLabels(result);
  const context = prepareCanvas(figure.canvas, width, height);
  if (context) {
    const to = { x: 0, y: 0, width, height };
    const colorOf = (cell: number): number | null =>
      labels[cell]! < 0 ? null : classColor(hexOf(labels[cell]!), labels[cell] === unchanged);
    paintCells(context, to, positions, colorOf, theme.line);
    const regions = findRegions(labels, positions.rows.length, positions.cols.length);
    // The unchanged class is named once; what is left of it between the changed regions needs no name.
    const main = regions.find(({ label }) => label === unchanged);
    const named = regions.filter((region) => region.label !== unchanged || region === main);
    paintNames(context, to, positions, named, (label) => className(header.class_names, label), theme);
  }
  legend.replaceChildren(
    ...header.legend.map(([label, name, share]) => {
      const swatch = make("i", "nnw-occ-swatch");
      swatch.style.background = hexOf(label);
      swatch.style.opacity = String(label === unchanged ? MUTED : 1);
      return make("span", "nnw-occ-key", swatch, make("span", "", name), make("span", "nnw-occ-share", percent(share)));
    }),
  );
}

/** A share as a whole percentage; what is there but under one is not called nothing. */
export function percent(share: number): string {
  const text = share > 0 && share < 0.005 ? "<1" : formatCount(100 * share);
  return `${text}\u202f%`;
}
