/** Regions of one class: where they are and where their name goes. Pure numbers. */

export interface Region {
  /** The class of the region. */
  label: number;
  /** Number of positions in it. */
  area: number;
  /** Its innermost position, the place for a name. */
  row: number;
  col: number;
}

/** City-block distance of every position to the nearest one of another class (or the border), 1 at the rim. */
function depths(labels: ArrayLike<number>, rows: number, cols: number): Int32Array {
  const depth = new Int32Array(rows * cols);
  const inside = (at: number, row: number, col: number): number => {
    if (row < 0 || col < 0 || row >= rows || col >= cols) return 0;
    const other = row * cols + col;
    return labels[other] === labels[at] ? depth[other]! : 0;
  };
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const at = row * cols + col;
      depth[at] = 1 + Math.min(inside(at, row - 1, col), inside(at, row, col - 1));
    }
  }
  for (let row = rows - 1; row >= 0; row--) {
    for (let col = cols - 1; col >= 0; col--) {
      const at = row * cols + col;
      depth[at] = Math.min(depth[at]!, 1 + Math.min(inside(at, row + 1, col), inside(at, row, col + 1)));
    }
  }
  return depth;
}

/** The positions joined to `start` by sides, all of one label; marks them in `seen`. */
function flood(labels: ArrayLike<number>, rows: number, cols: number, start: number, seen: Uint8Array): number[] {
  const found = [start];
  seen[start] = 1;
  for (let next = 0; next < found.length; next++) {
    const at = found[next]!;
    const col = at % cols;
    const neighbours = [at - cols, at + cols, col > 0 ? at - 1 : -1, col < cols - 1 ? at + 1 : -1];
    for (const other of neighbours) {
      if (other < 0 || other >= rows * cols || seen[other] || labels[other] !== labels[start]) continue;
      seen[other] = 1;
      found.push(other);
    }
  }
  return found;
}

/**
 * Connected regions of equal label, largest first; negative labels (not computed yet) are left out. The named position
 * is the deepest one, of equally deep ones that nearest to the region's centre of mass.
 */
export function findRegions(labels: ArrayLike<number>, rows: number, cols: number): Region[] {
  const depth = depths(labels, rows, cols);
  const seen = new Uint8Array(rows * cols);
  const regions: Region[] = [];
  for (let start = 0; start < rows * cols; start++) {
    if (seen[start] || labels[start]! < 0) continue;
    const members = flood(labels, rows, cols, start, seen);
    const row = members.reduce((sum, at) => sum + Math.floor(at / cols), 0) / members.length;
    const col = members.reduce((sum, at) => sum + (at % cols), 0) / members.length;
    const off = (at: number): number => Math.hypot(Math.floor(at / cols) - row, (at % cols) - col);
    const best = members.reduce((a, b) => {
      if (depth[a] !== depth[b]) return depth[a]! > depth[b]! ? a : b;
      return off(b) < off(a) ? b : a;
    });
    regions.push({ label: labels[start]!, area: members.length, row: Math.floor(best / cols), col: best % cols });
  }
  return regions.sort((a, b) => b.area - a.area);
}

/** The colour of each class: its own among ten; where two of the legend would share one, the later takes a free one. */
export function paletteSlots(classes: readonly number[], colors: number): Map<number, number> {
  const slots = new Map<number, number>();
  const taken = new Set<number>();
  for (const label of classes) {
    let slot = label % colors;
    for (let tried = 0; taken.has(slot) && tried < colors; tried++) slot = (slot + 1) % colors;
    taken.add(slot);
    slots.set(label, slot);
  }
  return slots;
}
