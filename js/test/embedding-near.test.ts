/** The list of the nearest samples, and the lines to them. */

import { expect, test } from "vitest";
import { IDENTITY } from "../src/embedding/camera.ts";
import { spokesOf } from "../src/embedding/trails.ts";
import { Underlay } from "../src/embedding/underlay.ts";
import { SIZE } from "./clouds.ts";
import { commands, host, one, openEachTime, settle } from "./embedding-host.ts";

openEachTime();

/** What Python says of the samples nearest to one. */
function near(over: Record<string, unknown> = {}): void {
  const header = {
    title: "relu3",
    heading: "Nearest in relu3",
    note: "to sample 14 · Euclidean distance · 1 of 2 also nearest on the map",
    about: 14,
    near: [
      { index: 12, label: "<b>dog</b>", distance: 0.12345 },
      { index: 10, label: "cat", distance: 1234.5 },
    ],
    selection: { sample: 14 },
    ...over,
  };
  host.model.receive({ kind: "frame", seq: 2, channel: "neighbours", header, arrays: [] }, []);
  settle();
}

test("the list names the nearest with three digits of their distance, and a click looks at one", () => {
  expect(one(".nnw-near").hidden).toBe(true);
  near();
  expect(one(".nnw-near .nnw-strip-title").textContent).toBe("Nearest in relu3");
  const cells = [...host.el.querySelectorAll<HTMLElement>(".nnw-near .nnw-strip-cell")];
  expect(cells.map((cell) => cell.textContent)).toEqual(["<b>dog</b>120.123", "cat101\u202f235"]);
  expect(cells[0]!.title).toContain("Sample 12: label <b>dog</b>, at a distance of 0.123");
  cells[1]!.click();
  expect(commands("select")).toEqual([{ sample: 10 }]);
});

test("without neighbours the list says why", () => {
  near({ near: [], note: "Sample 3 is not on this map", about: 3 });
  expect(one(".nnw-near").textContent).toBe("Nearest in relu3Sample 3 is not on this map");
});

test("lines lead from the sample to those near it, and not to hidden ones or ones beside the map", () => {
  const points = Float32Array.from([0, 0, 0, 1, 0, 0, 0, -1, 0]);
  const camera = { ...IDENTITY, scale: 100 };
  const spokes = spokesOf(0, [1, 2], points, camera, SIZE, "blue");
  expect(spokes.lines).toEqual([200, 150, 300, 150, 200, 150, 200, 250]);
  const underlay = new Underlay();
  [underlay.sample, underlay.near] = [0, [1, 2, -1]];
  const moment = { points, unit: 1, colors: new Uint8Array(12), camera, size: SIZE, hides: (row: number) => row === 1 };
  expect(underlay.strokes(moment, "blue")).toMatchObject([{ color: "blue", lines: [200, 150, 200, 250] }]);
  underlay.sample = -1;
  expect(underlay.strokes(moment, "blue")).toEqual([]);
});
