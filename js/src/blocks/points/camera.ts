/**
 * From data to screen. Points are triples (x, y, z) in data units, z = 0 for a flat map; screen positions are CSS px
 * from the canvas's upper left corner. Knows no DOM and no renderer; both renderers and the picking use this arithmetic.
 */

export interface Camera {
  /** What the view turns round, in data units. */
  readonly center: readonly [number, number, number];
  /** Where the centre lands, in px from the middle of the canvas. */
  readonly panX: number;
  readonly panY: number;
  /** Pixels per data unit at the depth of the centre; the same on both axes. */
  readonly scale: number;
  readonly yaw: number;
  readonly pitch: number;
  /** 1 / distance of the eye in data units; 0 is an orthographic, flat map. */
  readonly perspective: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const PADDING = 22;
const EYE_DISTANCE = 4;
export const FIRST_ANGLES = { yaw: 0.6, pitch: 0.35 };

export const IDENTITY: Camera = { center: [0, 0, 0], panX: 0, panY: 0, scale: 1, yaw: 0, pitch: 0, perspective: 0 };

/** The camera that shows all of `points` (n × 3) with a margin; angles are kept in 3-D. */
export function fit(points: Float32Array, dims: number, size: Size, angles = FIRST_ANGLES): Camera {
  if (points.length === 0) return IDENTITY;
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i++) {
    const value = points[i] as number;
    const axis = i % 3;
    if (value < (low[axis] as number)) low[axis] = value;
    if (value > (high[axis] as number)) high[axis] = value;
  }
  const middle = (axis: number): number => ((low[axis] as number) + (high[axis] as number)) / 2;
  const extent = (axis: number): number => Math.max((high[axis] as number) - (low[axis] as number), 1e-6);
  const center: [number, number, number] = [middle(0), middle(1), middle(2)];
  const width = Math.max(size.width - 2 * PADDING, 16);
  const height = Math.max(size.height - 2 * PADDING, 16);
  if (dims < 3) {
    return { ...IDENTITY, center, scale: Math.min(width / extent(0), height / extent(1)) };
  }
  const radius = Math.max(farthest(points, center), 1e-6);
  // The outline of a sphere seen from `d` radii is d / sqrt(d² - 1) times larger than from far away.
  const outline = EYE_DISTANCE / Math.sqrt(EYE_DISTANCE ** 2 - 1);
  const scale = Math.min(width, height) / 2 / (radius * outline);
  return { ...IDENTITY, ...angles, center, scale, perspective: 1 / (EYE_DISTANCE * radius) };
}

function farthest(points: Float32Array, center: readonly [number, number, number]): number {
  let most = 0;
  for (let i = 0; i < points.length; i += 3) {
    const dx = (points[i] as number) - center[0];
    const dy = (points[i + 1] as number) - center[1];
    const dz = (points[i + 2] as number) - center[2];
    most = Math.max(most, dx * dx + dy * dy + dz * dz);
  }
  return Math.sqrt(most);
}

/** The camera zoomed by `factor` with the point under (x, y) staying where it is. */
export function zoomAt(camera: Camera, factor: number, x: number, y: number, size: Size): Camera {
  const [right, down] = [x - size.width / 2, y - size.height / 2];
  const [panX, panY] = [right - (right - camera.panX) * factor, down - (down - camera.panY) * factor];
  return { ...camera, scale: camera.scale * factor, panX, panY };
}

export function pan(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, panX: camera.panX + dx, panY: camera.panY + dy };
}

/** Turned as if the pointer held the front of the cloud; half a turn over 400 px. */
export function orbit(camera: Camera, dx: number, dy: number): Camera {
  const turn = Math.PI / 400;
  const pitch = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, camera.pitch + dy * turn));
  return { ...camera, yaw: camera.yaw + dx * turn, pitch };
}

/** Between two cameras; the scale goes by ratio, so that a zoom looks even. */
export function between(from: Camera, to: Camera, share: number): Camera {
  if (share >= 1) return to;
  const lerp = (a: number, b: number): number => a + (b - a) * share;
  const center = (axis: 0 | 1 | 2): number => lerp(from.center[axis], to.center[axis]);
  return {
    center: [center(0), center(1), center(2)],
    panX: lerp(from.panX, to.panX),
    panY: lerp(from.panY, to.panY),
    scale: from.scale * (to.scale / from.scale) ** share,
    yaw: lerp(from.yaw, to.yaw),
    pitch: lerp(from.pitch, to.pitch),
    perspective: lerp(from.perspective, to.perspective),
  };
}

/** How much larger a mark is drawn for being near, within bounds that keep it a mark. The shader has the same. */
export const magnified = (nearness: number): number => Math.min(Math.max(nearness, 0.6), 1.6);

/** Rotation as nine numbers, row by row: yaw about the upright axis, then pitch about the horizontal one. */
export function rotation(camera: Camera): [number, number, number, number, number, number, number, number, number] {
  const [cy, sy] = [Math.cos(camera.yaw), Math.sin(camera.yaw)];
  const [cp, sp] = [Math.cos(camera.pitch), Math.sin(camera.pitch)];
  return [cy, 0, sy, sp * sy, cp, -sp * cy, -cp * sy, sp, cp * cy];
}

/** Screen positions (n × 2, CSS px) and, when asked for, how much nearer points are magnified (n; 1 in a flat map). */
export function project(
  points: Float32Array,
  camera: Camera,
  size: Size,
  out: Float32Array,
  nearness?: Float32Array,
): void {
  const [r0, r1, r2, r3, r4, r5, r6, r7, r8] = rotation(camera);
  const [cx, cy, cz] = camera.center;
  const left = size.width / 2 + camera.panX;
  const top = size.height / 2 + camera.panY;
  for (let i = 0, j = 0; i < points.length; i += 3, j += 2) {
    const x = (points[i] as number) - cx;
    const y = (points[i + 1] as number) - cy;
    const z = (points[i + 2] as number) - cz;
    const near = 1 / Math.max(1 - (r6 * x + r7 * y + r8 * z) * camera.perspective, 0.1);
    out[j] = left + (r0 * x + r1 * y + r2 * z) * near * camera.scale;
    out[j + 1] = top - (r3 * x + r4 * y + r5 * z) * near * camera.scale;
    if (nearness) nearness[j >> 1] = near;
  }
}
