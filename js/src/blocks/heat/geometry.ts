/**
 * Where the squares lie in the picture's frame, and how big that frame is drawn.
 * Pure numbers: knows no canvas and no DOM.
 */

/** Where the square may stand, as origins (top-left) in picture pixels. */
export interface Positions {
  rows: ArrayLike<number>;
  cols: ArrayLike<number>;
  patch: readonly [number, number];
  size: readonly [number, number];
}

/** An index into the rows and the columns of positions. */
export interface Cell {
  i: number;
  j: number;
}

/**
 * Borders of the cells along one axis, in picture pixels (length n + 1). A position is drawn at its square's centre
 * and cells meet half way between two centres, so that one place means one pixel of the picture in every panel.
 */
export function cellEdges(origins: ArrayLike<number>, patch: number): number[] {
  const centres = Array.from(origins, (origin) => origin + patch / 2);
  const n = centres.length;
  if (n === 0) return [0];
  if (n === 1) return [centres[0]! - patch / 2, centres[0]! + patch / 2];
  const inner = centres.slice(1).map((centre, k) => (centres[k]! + centre) / 2);
  return [2 * centres[0]! - inner[0]!, ...inner, 2 * centres[n - 1]! - inner[n - 2]!];
}

/** For each of `pixels` device pixels across `length` picture pixels: the cell it shows, -1 in the margin. */
export function cellOfPixel(edges: readonly number[], length: number, pixels: number): Int32Array {
  const cells = new Int32Array(pixels).fill(-1);
  let cell = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    const at = ((pixel + 0.5) * length) / pixels;
    if (at < edges[0]!) continue;
    while (cell < edges.length - 1 && at >= edges[cell + 1]!) cell++;
    if (cell === edges.length - 1) break;
    cells[pixel] = cell;
  }
  return cells;
}

/** The index whose square has its centre nearest to `at` (picture pixels), of two the later; origins ascend. */
export function nearest(origins: ArrayLike<number>, patch: number, at: number): number {
  let best = 0;
  for (let k = 1; k < origins.length; k++) {
    if (Math.abs(origins[k]! + patch / 2 - at) > Math.abs(origins[best]! + patch / 2 - at)) break;
    best = k;
  }
  return best;
}

/** Width and height of a picture drawn inside a square box, its shape kept. */
export function fit(size: readonly [number, number], box: number): [number, number] {
  const [height, width] = size;
  const longest = Math.max(height, width, 1);
  return [Math.round((width * box) / longest), Math.round((height * box) / longest)];
}

/** Sizes of the figures, by the width there is. */
export interface Sizes {
  mode: "alone" | "wide" | "stacked" | "pair";
  overlay: number;
  panel: number;
  /** Between the overlay and what stands right of it. */
  gap: number;
}

const OVERLAY = 280;
const PANEL = 168;
const PANEL_GAP = 8;
const GAP = 24;
const LEAST_GAP = 8;

/** Wide: overlay and panels in one line. Stacked: the panels below. Pair: overlay and first panel only. */
export function sizes(inner: number, panels: number): Sizes {
  if (panels === 0) return { mode: "alone", overlay: Math.max(96, Math.min(OVERLAY, inner)), panel: 0, gap: 0 };
  const room = inner - OVERLAY - panels * PANEL - (panels - 1) * PANEL_GAP;
  if (room >= LEAST_GAP) return { mode: "wide", overlay: OVERLAY, panel: PANEL, gap: Math.min(GAP, room) };
  if (inner >= 528) {
    // Beside the overlay stands the table, which wants its room too.
    const overlay = inner < 620 ? 224 : OVERLAY;
    const panel = Math.min(196, Math.floor((inner - (panels - 1) * GAP) / panels));
    return { mode: "stacked", overlay, panel, gap: GAP };
  }
  const half = Math.max(96, Math.min(240, Math.floor((inner - 16) / 2)));
  return { mode: "pair", overlay: half, panel: half, gap: 16 };
}
