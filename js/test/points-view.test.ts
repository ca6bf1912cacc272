import { expect, test, vi } from "vitest";
import {
  INDICES,
  canvas,
  change,
  clicks,
  commands,
  drag,
  host,
  one,
  openEachTime,
  picture,
  pointer,
  settle,
} from "./points-host.ts";

openEachTime();

const inSight = (selector: string): (string | null)[] =>
  [...host.all(selector)].filter((each) => !each.hidden && !each.closest("[hidden]")).map((each) => each.textContent);

test("a frame is drawn on a 2-D canvas where there is no WebGL, and says what it holds", () => {
  expect(canvas().dataset).toMatchObject({ count: "5", step: "5", renderer: "2d", moving: "false" });
  expect(canvas().getAttribute("aria-label")).toContain("Map of 5 samples of relu3, 2 classes, 1 wrong, 0 selected");
});

test("points of a class switched off cannot be hit, and a double click shows one class alone", () => {
  const rows = host.all(".nnw-points-legend-row");
  rows[1]!.click();
  settle();
  expect(rows[1]!.getAttribute("aria-checked")).toBe("false");
  drag([[222, 222]]);
  expect(clicks()).toEqual([]);
  rows[1]!.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
  settle();
  expect([...rows].map((row) => row.getAttribute("aria-checked"))).toEqual(["false", "true"]);
  drag([[222, 222]]);
  expect(commands("click")).toEqual([{ block: "embedding", where: { sample: 14 } }]);
});

test("the card shows what is known at once, and is hidden when the pointer leaves", async () => {
  const row = (data: number[]) => ({ dtype: "int32" as const, shape: [1, 5], data });
  const columns = [{ name: "writer", names: '["<b>Ann</b>"]', low: 0, high: 0, codes: 0 }];
  picture({ columns }, {}, { codes: row([-1, 0, 0, 0, 0]) });
  const card = one(".nnw-sample-card");
  pointer("pointermove", 222, 222);
  expect(card.textContent).toBe("Sample 14label dogloss 2.00writer <b>Ann</b>");
  expect(commands("card")).toEqual([]);
  vi.advanceTimersByTime(100);
  expect(commands("card")).toEqual([{ index: 14 }]);
  pointer("pointermove", 120, 222);
  expect(card.hidden).toBe(true);
});

test("a card that another block shows stays when the points are drawn anew", () => {
  const card = one(".nnw-sample-card");
  card.hidden = false;
  picture({}, { step: 6 });
  expect(card.hidden).toBe(false);
});

test("what has not changed is drawn on: a selection of Python's leaves points, colours and switches as they are", () => {
  host.all(".nnw-points-legend-row")[0]!.click();
  settle();
  change({}, { selected: { dtype: "int32", shape: [2], data: [13, 14] } });
  expect(canvas().dataset).toMatchObject({ count: "5", selected: "2", moving: "false" });
  expect(host.all(".nnw-points-legend-row")[0]!.getAttribute("aria-checked")).toBe("false");
  change({ color: "correctness" });
  expect(host.all(".nnw-points-legend-name").map((name) => name.textContent)).toEqual(["correct", "wrong"]);
  expect(canvas().dataset).toMatchObject({ selected: "2" });
});

test("options that stand in the legend are asked for there", () => {
  const size = { name: "size", label: "Size by", kind: "dropdown", value: "equal", choices: [["equal", "equal"], ["loss", "loss"]] };
  const trails = { name: "trails", label: "Trails", kind: "toggle", value: false, choices: [[false, "off"], [true, "on"]] };
  const method = { name: "method", label: "Method", kind: "toggle", value: "pca", choices: [["pca", "PCA"]] };
  picture({}, { options: [method, size, trails] as never });
  expect(host.all(".nnw-head .nnw-control")).toHaveLength(1);
  const select = host.one<HTMLSelectElement>(".nnw-points-legend select");
  select.selectedIndex = 1;
  select.dispatchEvent(new Event("change"));
  host.all(".nnw-points-legend .nnw-toggle button").at(-1)!.click();
  expect(commands("option")).toEqual([
    { name: "size", value: "loss" },
    { name: "trails", value: true },
  ]);
});

test("the tools stand in the head as long as the points are shown", () => {
  expect(host.all(".nnw-head .nnw-points-tools")).toHaveLength(1);
  host.show([], {}, { title: "relu3" });
  settle();
  expect(host.all(".nnw-points-tools")).toHaveLength(0);
});

test("a selected sample that is no point counts, and stays selected when more are added", () => {
  picture({ selected: [999] });
  expect(canvas().dataset["selected"]).toBe("1");
  drag(
    [
      [200, 200],
      [250, 200],
      [250, 250],
      [200, 250],
    ],
    { shiftKey: true },
  );
  expect(clicks()).toEqual([{ samples: [999, INDICES[4]] }]);
});

test("the legend says that too many are wrong to be ringed, with no mark before it", () => {
  const said = [...host.all(".nnw-points-legend-key")].filter((key) => !key.hidden);
  expect(said.map((key) => key.textContent)).toEqual(["1 of 5 wrong: too many to ring"]);
  expect(said[0]!.querySelector(".nnw-points-mark")).toBeNull();
  picture({}, { step: 6 }, { predicted: { dtype: "int16", shape: [5], data: [0, 0, 1, 1, 1] } });
  expect([...host.all(".nnw-points-legend-key")].filter((key) => !key.hidden)).toEqual([]);
});

test("of many classes none is coloured until it is picked, and a line says so", () => {
  const labels = { dtype: "int16" as const, shape: [5], data: [3, 13, 29, 3, 3] };
  picture({}, { step: 6 }, { labels, predicted: labels });
  const swatches = (): string[] =>
    [...host.all(".nnw-points-swatch")].map((swatch) => swatch.style.getPropertyValue("--nnw-swatch"));
  expect(inSight(".nnw-points-legend-pick")).toEqual(["Pick classes to colour them"]);
  expect(new Set(swatches())).toEqual(new Set(["transparent"]));
  const rows = host.all(".nnw-points-legend-row");
  expect(rows[3]!.title).toContain("Click colours it or leaves it grey");
  for (const k of [3, 13]) rows[k]!.click();
  settle();
  const colored = swatches().filter((color) => color !== "transparent");
  expect(new Set(colored).size, "two that have one colour by turn").toBe(2);
  expect(inSight(".nnw-points-link")).toEqual(["Pick none", "Only wrong"]);
  host.all(".nnw-points-link")[0]!.click();
  settle();
  expect(new Set(swatches())).toEqual(new Set(["transparent"]));
  picture({ color: "loss" }, { step: 7 }, { labels, predicted: labels });
  expect(inSight(".nnw-points-legend-pick"), "a scale colours all").toEqual([]);
  picture({}, { step: 8 });
  expect(inSight(".nnw-points-legend-pick")).toEqual([]);
  expect(inSight(".nnw-points-link")).toEqual(["Show all", "Only wrong"]);
});

/** What Python sends of a regression: no labels, and a column of numbers named as a way to colour classes is. */
function regression(color: string): void {
  const none = { dtype: "int16" as const, shape: [5], data: [-1, -1, -1, -1, -1] };
  const shares = { dtype: "int32" as const, shape: [1, 5], data: [0, 2 ** 23, 2 ** 24, 0, 2 ** 22] };
  const columns = [{ name: "prediction", names: "[]", low: 2, high: 6, shares: 0 }];
  const loss = { dtype: "float32" as const, shape: [5], data: [0, 0, 0, 0, 0].map(() => Number.NaN) };
  picture({ columns, color }, { step: 6 }, { labels: none, predicted: none, loss, shares });
}

test("numbers without classes have a bar with its ends, no empty legend, and no label in the card", () => {
  regression("prediction");
  expect(inSight(".nnw-points-color-key")).toEqual(["2.00prediction6.00"]);
  for (const part of ["legend-head", "legend-rows", "legend-links", "legend-key"]) expect(inSight(`.nnw-points-${part}`), part).toEqual([]);
  expect(canvas().getAttribute("aria-label")).toContain("Map of 5 samples of relu3, 0 selected");
  pointer("pointermove", 222, 222);
  expect(one(".nnw-sample-card").textContent).toBe("Sample 14prediction 3.00");
});

test("without labels and numbers there is no legend at all", () => {
  regression("class");
  for (const part of ["color-key", "legend-head", "legend-rows", "legend-key"]) expect(inSight(`.nnw-points-${part}`), part).toEqual([]);
});

test("names from the data are text, never markup", () => {
  picture({ class_names: ["<img src=x>", "dog"] }, { step: 6 });
  expect(host.el.querySelector("img")).toBeNull();
  expect(one(".nnw-points-legend-name").textContent).toBe("<img src=x>");
});
