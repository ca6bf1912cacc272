import { describe, expect, it } from "vitest";
import {
  axisTicks,
  cellAt,
  cellRect,
  layoutSequence,
  layoutStrips,
  layoutTiles,
  stripAt,
  stripRect,
  tileAt,
  tileRect,
  wholeSize,
} from "../src/blocks/grid/layout.ts";

describe("tiles", () => {
  it("of 14 × 14 maps are 70 px, eight to a row of 616 px with gaps of 8", () => {
    const layout = layoutTiles(616, 32, 14, 14);
    expect([layout.columns, layout.width, layout.height]).toEqual([8, 70, 70]);
    expect(tileRect(layout, 9)).toEqual({ x: 78, y: 98, width: 70, height: 70 });
    expect(layout.totalHeight).toBe(4 * 98 - 8);
  });

  it.each([616, 640, 682, 800, 1000, 1400])("at %d px stand 8 to 12 px apart and leave less than one empty", (width) => {
    for (const size of [1, 3, 5, 7, 12, 14, 24, 26, 28, 32, 56, 64, 112, 224]) {
      const layout = layoutTiles(width, 64, size, size);
      const gap = layout.pitchX - layout.width;
      expect(gap).toBeGreaterThanOrEqual(8);
      expect(gap).toBeLessThanOrEqual(12);
      const right = tileRect(layout, layout.columns - 1).x + layout.width;
      expect(right).toBeLessThanOrEqual(width);
      expect(right + layout.width + 8).toBeGreaterThan(width);
    }
  });

  it.each([616, 640, 682, 800, 1000, 1400])("at %d px are whole multiples of the map's pixels or 70 px", (width) => {
    for (const size of [1, 3, 5, 7, 12, 14, 24, 26, 28, 32, 56, 64, 112, 224]) {
      const layout = layoutTiles(width, 64, size, size);
      const cells = Math.ceil(size / layout.reduce);
      expect(layout.width === 70 || layout.width % cells === 0).toBe(true);
      expect(layout.width).toBeLessThanOrEqual(96);
    }
  });

  it.each([
    [28, 70, 8],
    [14, 70, 8],
    [32, 64, 9],
    [112, 56, 10],
  ])("of %d pixels are %d px in the dashboard of a wide window, in %d columns", (size, tile, columns) => {
    expect(layoutTiles(682, 64, size, size)).toMatchObject({ width: tile, columns });
  });

  it("are more in a wider view, not larger ones", () => {
    expect(layoutTiles(1400, 64, 14, 14).columns).toBeGreaterThan(8);
  });

  it.each([
    [476, 14, 14],
    [616, 28, 28],
    [682, 28, 20],
    [642, 7, 7],
    [1002, 10, 40],
  ])("at %d px with maps of %d × %d, every picture's corners pick their own tile", (width, rows, columns) => {
    const layout = layoutTiles(width, 37, rows, columns);
    for (let tile = 0; tile < 37; tile++) {
      const at = tileRect(layout, tile);
      expect(tileAt(layout, at.x, at.y)).toBe(tile);
      expect(tileAt(layout, at.x + at.width - 0.5, at.y + at.height - 0.5)).toBe(tile);
      expect(tileAt(layout, at.x + 1, at.y + at.height + 10)).toBe(tile);
      expect(tileAt(layout, at.x + at.width + 1, at.y)).toBeNull();
    }
    expect(tileAt(layout, -1, 5)).toBeNull();
    expect(tileAt(layout, 5, layout.totalHeight + 100)).toBeNull();
  });

  it("keep the picture's shape", () => {
    const layout = layoutTiles(616, 8, 10, 20);
    expect(layout.width).toBe(2 * layout.height);
  });
});

describe("cells", () => {
  it("are found again at their own middle", () => {
    const frame = { x: 30, y: 7, width: 70, height: 35 };
    for (let row = 0; row < 5; row++) {
      for (let column = 0; column < 10; column++) {
        const at = cellRect(frame, 5, 10, { row, column });
        expect(cellAt(frame, 5, 10, at.x + at.width / 2, at.y + at.height / 2)).toEqual({ row, column });
      }
    }
    expect(cellAt(frame, 5, 10, 29, 8)).toBeNull();
    expect(cellAt(frame, 5, 10, 100, 8)).toBeNull();
  });
});

describe("strips", () => {
  it("take 7 px a unit in 984 px", () => {
    expect(layoutStrips(984, 128, 2, true)).toMatchObject({ cell: 7, perLine: 128, lines: 1 });
  });

  it.each([
    [984, 128],
    [494, 128],
    [494, 1000],
    [792, 4096],
    [792, 10],
  ])("at %d px find each of %d units again", (width, units) => {
    const layout = layoutStrips(width, units, 2, true);
    expect(layout.left + layout.width).toBeLessThanOrEqual(width);
    for (let unit = 0; unit < units; unit++) {
      for (const row of [0, 1]) {
        const at = stripRect(layout, row, unit);
        expect(stripAt(layout, units, at.x + at.width / 2, at.y + 3)).toEqual({ unit, row });
      }
    }
  });
});

it("a sequence stays within its width", () => {
  for (const positions of [1, 24, 500, 5000]) {
    const { frame } = layoutSequence(792, 64, positions);
    expect(frame.x + frame.width).toBeLessThanOrEqual(792);
  }
});

it("axis numbers are round and few", () => {
  expect(axisTicks(24)).toEqual([0, 5, 10, 15, 20]);
  expect(axisTicks(40, 16)).toEqual([0, 16, 32]);
});

it.each([
  [14, 70, 70, 1],
  [14, 75, 70, 1],
  [112, 70, 56, 2],
  [100, 96, 50, 2],
])("%d pixels in %d px become %d px, %d to a cell", (pixels, room, size, reduce) => {
  expect(wholeSize(pixels, room)).toEqual({ size, reduce });
});
