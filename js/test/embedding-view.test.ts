import { expect, test, vi } from "vitest";
import { INDICES, canvas, commands, drag, host, one, openEachTime, part, picture, pointer, press, settle } from "./embedding-host.ts";

openEachTime();

test("a frame is drawn on a 2-D canvas where there is no WebGL, and says what it holds", () => {
  expect(canvas().dataset).toMatchObject({ count: "5", step: "5", renderer: "2d", moving: "false" });
  expect(canvas().getAttribute("aria-label")).toContain("Map of 5 samples of relu3, 2 classes, 1 wrong, 0 selected");
});

test("points of a class switched off cannot be hit, and a double click shows one class alone", () => {
  const rows = host.el.querySelectorAll<HTMLElement>(".nnw-legend-row");
  rows[1]!.click();
  settle();
  expect(rows[1]!.getAttribute("aria-checked")).toBe("false");
  drag([[222, 222]]);
  expect(commands("select")).toEqual([]);
  rows[1]!.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
  settle();
  expect([...rows].map((row) => row.getAttribute("aria-checked"))).toEqual(["false", "true"]);
  drag([[222, 222]]);
  expect(commands("select")).toEqual([{ sample: 14 }]);
});

test("the card shows what is known at once and Python's answer once, and keeps it", async () => {
  pointer("pointermove", 222, 222);
  expect(one(".nnw-point-card").textContent).toBe("Sample 14label dogloss 2.00");
  expect(commands("card")).toEqual([]);
  vi.advanceTimersByTime(100);
  expect(commands("card")).toEqual([{ index: 14 }]);
  const request = host.model.of("command").at(-1)!.request;
  const header = {
    title: "Sample 14",
    lines: [
      ["label", "dog"],
      ["predicted", "<b>cat</b> (0.45)"],
    ],
  };
  host.model.receive({ kind: "reply", request, header, arrays: [] });
  await vi.waitFor(() => expect(one(".nnw-point-card").textContent).toContain("predicted <b>cat</b> (0.45)"));
  pointer("pointermove", 120, 222);
  expect(one(".nnw-point-card").hidden).toBe(true);
  pointer("pointermove", 222, 222);
  vi.advanceTimersByTime(100);
  expect(commands("card")).toHaveLength(1);
});

test("a card that Python cannot answer says why", async () => {
  pointer("pointermove", 222, 222);
  vi.advanceTimersByTime(100);
  host.model.receive({
    kind: "reply",
    request: host.model.of("command").at(-1)!.request,
    error: "index: not read yet",
  });
  await vi.waitFor(() => expect(one(".nnw-point-card").textContent).toContain("index: not read yet"));
});

test("the strip shows the selected samples, marks the wrong ones, and a click looks at one", () => {
  const strip = [
    { index: 14, label: "dog", predicted: "cat", loss: 2 },
    { index: 13, label: "dog", predicted: "dog", loss: 1 },
  ];
  picture({ step: 6, selection: { sample: null, selected: [13, 14] }, strip });
  const cells = [...host.el.querySelectorAll<HTMLElement>(".nnw-strip-cell")];
  expect(cells.map((cell) => cell.textContent)).toEqual(["dog → cat14", "dog → dog13"]);
  expect(cells.map((cell) => cell.querySelector(".nnw-wrong") !== null)).toEqual([true, false]);
  cells[1]!.click();
  expect(commands("select")).toEqual([{ sample: 13 }]);
});

test("the strip says what colours the points, if that is more than their classes", () => {
  const strip = [
    { index: 14, label: "dog", predicted: "cat", loss: 2 },
    { index: 10, label: "cat", predicted: "cat", loss: 0.5 },
  ];
  const columns = [{ name: "writer", names: ["Ann"] }, { name: "age", low: 10, high: 20 }];
  const row = (data: number[], dtype: "float32" | "int32" = "int32") => ({ dtype, shape: [5], data });
  part("metadata", { title: "relu3", columns }, {
    indices: row(INDICES),
    codes_0: row([-1, 0, 0, 0, 0]),
    shares_1: row([0.5, 0, 0, 0, Number.NaN], "float32"),
  });
  const said = (by: string): string[] => {
    const options = [{ name: "color", label: "", kind: "dropdown", value: by, choices: [] }];
    picture({ options, selection: { selected: [10, 14] }, strip });
    return [...host.el.querySelectorAll(".nnw-strip-cell")].map((cell) => cell.textContent ?? "");
  };
  expect(said("writer")).toEqual(["dog → catAnn14", "cat → catno value10"]);
  expect(one(".nnw-strip:not(.nnw-near) .nnw-strip-note").textContent).toBe("highest loss first · label → predicted · writer · shown in every view");
  expect(one(".nnw-strip-cell").title).toBe("Sample 14: label dog, predicted cat, writer Ann");
  expect(said("age")).toEqual(["dog → catno value14", "cat → cat15.010"]);
  expect(said("loss")).toEqual(["dog → cat2.000014", "cat → cat0.500010"]);
  expect(said("class")).toEqual(["dog → cat14", "cat → cat10"]);
});

test("a strip of an earlier selection is not shown for a new one", () => {
  picture({ step: 6, selection: { selected: [14] }, strip: [{ index: 14, label: "dog", predicted: "cat", loss: 2 }] });
  drag([
    [0, 344],
    [100, 344],
    [100, 444],
    [0, 444],
  ]);
  expect(host.el.querySelectorAll(".nnw-strip-cell")).toHaveLength(0);
});

test("with nothing selected a line says how to select", () => {
  expect(one(".nnw-strip-empty").hidden).toBe(false);
  expect(one(".nnw-strip-empty").textContent).toContain("Nothing selected");
});

test("the slider asks for a kept map, and play goes on only when the map has come", () => {
  const positions = [0, 4, 8, 9];
  picture({ kept: { index: 0, positions, text: "step 1 · map 1 of 4 kept" } });
  one(".nnw-play").click();
  expect(commands("map")).toEqual([{ position: 4 }]);
  vi.advanceTimersByTime(5000);
  expect(commands("map")).toHaveLength(1);
  picture({ kept: { index: 1, positions, text: "step 2 · map 2 of 4 kept" } });
  vi.advanceTimersByTime(1000);
  picture({ kept: { index: 2, positions, text: "step 3 · map 3 of 4 kept" } });
  vi.advanceTimersByTime(1000);
  // The last place is no map in particular: it follows the training.
  expect(commands("map")).toEqual([{ position: 4 }, { position: 8 }, { position: null }]);
});

test("a key on the slider stops what plays, and the trails are asked for", () => {
  picture({ kept: { index: 0, positions: [0, 1, 2], text: "step 1 · map 1 of 3 kept" } });
  one(".nnw-play").click();
  expect(one(".nnw-play").getAttribute("aria-label")).toBe("Stop");
  press("ArrowLeft", one(".nnw-range"));
  expect(one(".nnw-play").getAttribute("aria-label")).toBe("Play the kept maps");
  picture({ kept: { index: 1, positions: [0, 1, 2], text: "step 2 · map 2 of 3 kept" } });
  vi.advanceTimersByTime(5000);
  expect(commands("map")).toEqual([{ position: 1 }]);
  one(".nnw-trails").click();
  expect(commands("option")).toEqual([{ name: "trails", value: true }]);
  picture({ options: [{ name: "trails", label: "Trails", kind: "toggle", value: true, choices: [] }] });
  expect(one(".nnw-trails").getAttribute("aria-pressed")).toBe("true");
  expect(host.el.querySelector(".nnw-control")).toBeNull();
});

test("names from the data are text, never markup", () => {
  picture({
    step: 6,
    classes: [
      { name: "<img src=x>", n: 2, wrong: 0 },
      { name: "dog", n: 3, wrong: 1 },
    ],
  });
  expect(host.el.querySelector("img")).toBeNull();
  expect(one(".nnw-legend-name").textContent).toBe("<img src=x>");
});
