/** Animates points, matched by identity, and camera: 400 ms, cubic-out, interruptible. No DOM; time is handed in. */

import { type Camera, IDENTITY, between } from "./camera.ts";

export const TWEEN_MS = 400;

const mix = (a: number, b: number, share: number): number => a + (b - a) * share;

export function cubicOut(t: number): number {
  return t >= 1 ? 1 : 1 - (1 - Math.max(t, 0)) ** 3;
}

/**
 * Where the points of a new map start: a point that was there before starts where it is, a new one at its target.
 * Points are triples, ids say who is who. Returns a new array like `next`.
 */
export function startPositions(
  ids: ArrayLike<number>,
  now: Float32Array,
  nextIds: ArrayLike<number>,
  next: Float32Array,
): Float32Array {
  if (sameIds(ids, nextIds)) return now;
  const row = new Map<number, number>();
  for (let i = 0; i < ids.length; i++) row.set(ids[i] as number, i);
  const start = next.slice();
  for (let i = 0; i < nextIds.length; i++) {
    const old = row.get(nextIds[i] as number);
    if (old !== undefined) start.set(now.subarray(3 * old, 3 * old + 3), 3 * i);
  }
  return start;
}

export function sameIds(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Where points are at a share of the way. */
export function placesBetween(from: Float32Array, to: Float32Array, share: number): Float32Array {
  if (share >= 1) return to;
  const out = new Float32Array(to.length);
  for (let i = 0; i < out.length; i++) out[i] = mix(from[i] as number, to[i] as number, share);
  return out;
}

/** One running move of all points and of the camera. `from` and `to` are what the renderer uploads, once per move. */
export class Motion {
  from: Float32Array = new Float32Array(0);
  to: Float32Array = new Float32Array(0);
  #fromCamera: Camera = IDENTITY;
  #toCamera: Camera = IDENTITY;
  #started = -Infinity;
  #ids: ArrayLike<number> = [];

  /** Share of the way, eased, in [0, 1]. */
  share(now: number): number {
    return cubicOut((now - this.#started) / TWEEN_MS);
  }

  running(now: number): boolean {
    return now - this.#started < TWEEN_MS;
  }

  get targetCamera(): Camera {
    return this.#toCamera;
  }

  camera(now: number): Camera {
    return between(this.#fromCamera, this.#toCamera, this.share(now));
  }

  /** Where the points are now, n × 3. */
  positions(now: number): Float32Array {
    return placesBetween(this.from, this.to, this.share(now));
  }

  /** Where one point is at a share of the way. */
  position(row: number, share: number): Float32Array {
    const own = (points: Float32Array): Float32Array => points.subarray(3 * row, 3 * row + 3);
    return placesBetween(own(this.from), own(this.to), share);
  }

  /** New targets for points and camera; with `still` they are there at once. */
  move(ids: ArrayLike<number>, to: Float32Array, camera: Camera, now: number, still: boolean): void {
    const first = this.to.length === 0;
    const cameraNow = this.camera(now);
    this.from = startPositions(this.#ids, this.positions(now), ids, to);
    this.to = to;
    this.#ids = ids;
    this.#fromCamera = first ? camera : cameraNow;
    this.#toCamera = camera;
    this.#started = still || first ? -Infinity : now;
  }

  /** The camera jumps with the pointer; a move of the points goes on. */
  look(camera: Camera): void {
    this.#fromCamera = camera;
    this.#toCamera = camera;
  }
}
