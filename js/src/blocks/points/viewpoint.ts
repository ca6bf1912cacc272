/** The view of the cloud: fit, zoom, pan, orbit, and the animation of points and camera. */

import { type Camera, type Size, FIRST_ANGLES, fit, orbit, pan, zoomAt } from "./camera.ts";
import { type Cloud, EMPTY_CLOUD } from "./cloud.ts";
import { Motion, sameIds } from "./motion.ts";

export class Viewpoint {
  size: Size = { width: 0, height: 0 };
  readonly motion = new Motion();
  #cloud: Cloud = EMPTY_CLOUD;
  /** The camera shows all points until someone moves it. */
  #auto = true;

  get camera(): Camera {
    return this.motion.camera(performance.now());
  }

  /** A new map: points that were there glide to their new places. False where they are there already. */
  show(cloud: Cloud): boolean {
    if (cloud.dims !== this.#cloud.dims) this.#auto = true;
    this.#cloud = cloud;
    if (sameIds(cloud.positions, this.motion.to)) return false;
    const camera = this.#auto ? this.#fitted() : this.motion.targetCamera;
    this.motion.move(cloud.indices, cloud.positions, camera, performance.now(), reducedMotion());
    return true;
  }

  resize(size: Size): void {
    this.size = size;
    if (this.#auto && this.#cloud.n > 0) this.motion.look(this.#fitted());
  }

  fit(): void {
    this.#auto = true;
    const { motion } = this;
    motion.move(this.#cloud.indices, motion.to, this.#fitted(FIRST_ANGLES), performance.now(), reducedMotion());
  }

  zoom(factor: number, x: number, y: number): void {
    const least = this.#fitted().scale;
    const now = this.camera;
    const bounded = Math.max(least / 4, Math.min(now.scale * factor, least * 200)) / now.scale;
    this.#auto = false;
    this.motion.look(zoomAt(now, bounded, x, y, this.size));
  }

  pan(dx: number, dy: number): void {
    this.#auto = false;
    this.motion.look(pan(this.camera, dx, dy));
  }

  orbit(dx: number, dy: number): void {
    this.motion.look(orbit(this.camera, dx, dy));
  }

  #fitted(angles?: typeof FIRST_ANGLES): Camera {
    const { yaw, pitch } = this.motion.targetCamera;
    const turned = yaw !== 0 || pitch !== 0;
    return fit(this.#cloud.positions, this.#cloud.dims, this.size, angles ?? (turned ? { yaw, pitch } : undefined));
  }
}

const reducedMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
