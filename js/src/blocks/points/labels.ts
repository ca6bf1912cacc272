/** Places of cluster names, each on its class's medoid without overlaps, and of the hover card. No DOM. */

import type { Size } from "./camera.ts";
import type { Cloud } from "./cloud.ts";

/** A medoid needs all pairwise distances in a class; a sample of this size is fast and hardly moves it. */
const CANDIDATES = 64;

/** Row of each class's medoid: the point with the least summed distance to the others of its class; -1 for an empty class. */
export function medoids({ n, classes, labels, positions }: Cloud): Int32Array {
  const members = classes.map((): number[] => []);
  for (let i = 0; i < n; i++) members[labels[i] as number]?.push(i);
  return Int32Array.from(members, (rows) => {
    const stride = Math.ceil(rows.length / CANDIDATES);
    return medoid(positions, rows.filter((_, k) => k % stride === 0));
  });
}

function medoid(points: Float32Array, rows: readonly number[]): number {
  let best = -1;
  let least = Infinity;
  for (const i of rows) {
    let sum = 0;
    for (const j of rows) {
      const dx = (points[3 * i] as number) - (points[3 * j] as number);
      const dy = (points[3 * i + 1] as number) - (points[3 * j + 1] as number);
      const dz = (points[3 * i + 2] as number) - (points[3 * j + 2] as number);
      sum += Math.sqrt(dx * dx + dy * dy + dz * dz);
    }
    if (sum < least) {
      least = sum;
      best = i;
    }
  }
  return best;
}

export interface Anchor {
  text: string;
  /** Middle of the text, px. */
  x: number;
  y: number;
  width: number;
  /** Points in the class: of two labels in each other's way the larger class keeps its place. */
  weight: number;
}

/** Labels that fit: the larger class first, a later one moves up or down by as little as helps, and stays away if nothing does. */
export function placeLabels(anchors: readonly Anchor[], height: number, lineHeight: number): Anchor[] {
  const placed: Anchor[] = [];
  const free = (x: number, y: number, width: number): boolean =>
    placed.every((p) => Math.abs(p.x - x) * 2 >= p.width + width || Math.abs(p.y - y) >= lineHeight);
  for (const anchor of [...anchors].sort((a, b) => b.weight - a.weight)) {
    for (const shift of [0, -0.5, 0.5, -1, 1]) {
      const y = anchor.y + shift * lineHeight;
      const inside = shift === 0 || (y > lineHeight / 2 && y < height - lineHeight / 2);
      if (inside && free(anchor.x, y, anchor.width)) {
        placed.push({ ...anchor, y });
        break;
      }
    }
  }
  return placed;
}

/**
 * Where a floating card of `width` × `height` stands beside (x, y): inside the canvas, off the point by `gap`,
 * on the side where `count` finds the fewest points; of equal sides the earlier one, lower right first.
 */
export function placeCard(
  x: number,
  y: number,
  card: Size,
  canvas: Size,
  count: (left: number, top: number, right: number, bottom: number) => number,
  gap = 14,
): { left: number; top: number } {
  const [right, left] = [x + gap, x - gap - card.width];
  const [below, above] = [y + gap, y - gap - card.height];
  const sides: [number, number][] = [
    [right, below],
    [left, below],
    [right, above],
    [left, above],
    [right, y - card.height / 2],
    [left, y - card.height / 2],
    [x - card.width / 2, below],
    [x - card.width / 2, above],
  ];
  let best = { left: right, top: below };
  let fewest = Infinity;
  for (const [wantedLeft, wantedTop] of sides) {
    const boxLeft = Math.max(4, Math.min(wantedLeft, canvas.width - card.width - 4));
    const boxTop = Math.max(4, Math.min(wantedTop, canvas.height - card.height - 4));
    const covers =
      x > boxLeft - gap / 2 &&
      x < boxLeft + card.width + gap / 2 &&
      y > boxTop - gap / 2 &&
      y < boxTop + card.height + gap / 2;
    if (covers) continue;
    const points = count(boxLeft, boxTop, boxLeft + card.width, boxTop + card.height);
    if (points < fewest) {
      fewest = points;
      best = { left: boxLeft, top: boxTop };
    }
  }
  return best;
}
