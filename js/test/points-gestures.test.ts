import { expect, test, vi } from "vitest";
import { zoomHint } from "../src/blocks/points/hint.ts";
import {
  INDICES,
  canvas,
  clicks,
  drag,
  host,
  one,
  openEachTime,
  picture,
  pointer,
  press,
  settle,
} from "./points-host.ts";

openEachTime();

test("a click looks at the sample under it, by its index in the dataset", () => {
  drag([[222, 222]]);
  expect(clicks()).toEqual([{ sample: 14 }]);
});

test("a click beside all points asks for nothing", () => {
  drag([[120, 222]]);
  expect(clicks()).toEqual([]);
});

test("a lasso selects what it goes round, Shift adds, Alt removes, Escape clears", () => {
  drag([
    [0, 0],
    [444, 0],
    [444, 100],
    [0, 100],
  ]);
  drag(
    [
      [200, 200],
      [250, 200],
      [250, 250],
      [200, 250],
    ],
    { shiftKey: true },
  );
  drag(
    [
      [0, 0],
      [100, 0],
      [100, 100],
      [0, 100],
    ],
    { altKey: true },
  );
  press("Escape");
  expect(clicks()).toEqual([
    { samples: [12, 13] },
    { samples: [12, 13, 14] },
    { samples: [13, 14] },
    { samples: [] },
  ]);
});

test("the box tool selects between two corners", () => {
  press("b");
  drag([
    [0, 444],
    [240, 200],
  ]);
  expect(clicks()).toEqual([{ samples: [10, 14] }]);
});

test("Escape gives up a lasso under way", () => {
  pointer("pointerdown", 0, 0);
  pointer("pointermove", 444, 0);
  pointer("pointermove", 444, 444);
  press("Escape");
  pointer("pointerup", 0, 444);
  expect(clicks()).toEqual([]);
});

test("a frame made before the lasso does not undo it, and Python's news does", () => {
  drag([
    [0, 0],
    [444, 0],
    [444, 100],
    [0, 100],
  ]);
  picture({}, { step: 6 });
  expect(canvas().dataset["selected"]).toBe("2");
  picture({ selected: [14] }, { step: 7 });
  expect(canvas().dataset["selected"]).toBe("1");
});

test("only wrong leaves the right ones out of a lasso", () => {
  [...host.el.querySelectorAll<HTMLElement>(".nnw-points-link")].find((each) => each.textContent === "Only wrong")!.click();
  settle();
  drag([
    [0, 0],
    [444, 0],
    [444, 444],
    [0, 444],
  ]);
  expect(clicks()).toEqual([{ samples: [14] }]);
});

test("the wheel zooms with Ctrl or ⌘ held; without it scrolls the notebook, and a hint tells of the key", () => {
  const wheel = (keys: WheelEventInit = {}): boolean =>
    !canvas().dispatchEvent(new WheelEvent("wheel", { deltaY: -300, clientX: 222, clientY: 222, cancelable: true, ...keys }));
  const told = (): boolean => one(".nnw-points-hint").classList.contains("nnw-points-hint-shown");
  const look = (x: number, y: number): unknown[] => (drag([[x, y]]), clicks().splice(0));
  expect(look(22, 22)).toEqual([{ sample: 12 }]);
  expect([wheel(), told()]).toEqual([false, true]);
  vi.advanceTimersByTime(1100);
  wheel();
  vi.advanceTimersByTime(1100);
  expect(told(), "it stays while the wheel turns").toBe(true);
  vi.advanceTimersByTime(200);
  expect(told()).toBe(false);
  wheel({ deltaY: 0, deltaX: 90 });
  expect(told(), "sideways nobody wants to zoom").toBe(false);
  expect(look(22, 22), "nothing has moved").toHaveLength(2);
  wheel();
  expect([wheel({ ctrlKey: true }), told()]).toEqual([true, false]);
  expect(look(22, 22), "the corner is out of sight").toHaveLength(2);
  expect(wheel({ metaKey: true, deltaY: 300 })).toBe(true);
  expect(look(22, 22)).toHaveLength(3);
});

test("the hint names the key of the machine", () => {
  expect(zoomHint("MacIntel")).toBe("⌘ + scroll to zoom");
  expect(["Win32", "Linux x86_64"].map(zoomHint)).toEqual(["Ctrl + scroll to zoom", "Ctrl + scroll to zoom"]);
});

test("a pan moves points with the pointer, F brings them back", () => {
  press("p");
  drag([
    [222, 222],
    [262, 232],
  ]);
  drag([[262, 232]]);
  press("f");
  drag([[222, 222]]);
  expect(clicks()).toEqual([{ sample: 14 }, { sample: 14 }]);
});

test("dragging with Space pans whatever the tool", () => {
  press(" ");
  drag([
    [222, 222],
    [262, 232],
  ]);
  expect(clicks()).toEqual([]);
  canvas().dispatchEvent(new KeyboardEvent("keyup", { key: " " }));
  drag([[262, 232]]);
  expect(clicks()).toEqual([{ sample: 14 }]);
});

test("arrow keys walk the points and Enter looks at one, all without a pointer", () => {
  press("ArrowRight");
  press("ArrowRight");
  press("Enter");
  expect(clicks()).toHaveLength(1);
  expect(one(".nnw-sample-card").hidden).toBe(false);
});

test("plain keys stay in the view, and those with Ctrl go on to the notebook", () => {
  const heard: string[] = [];
  const hear = (event: Event): void => void heard.push((event as KeyboardEvent).key);
  document.addEventListener("keydown", hear);
  press("d");
  canvas().dispatchEvent(new KeyboardEvent("keydown", { key: "s", ctrlKey: true, bubbles: true }));
  document.removeEventListener("keydown", hear);
  expect(heard).toEqual(["s"]);
});

test("dragging in the pan tool turns a 3-D cloud", () => {
  picture({ positions: INDICES.flatMap((_, k) => [k * 8000 - 16000, (k % 2) * 20000, (k % 3) * 10000]) });
  press("p");
  press("ArrowRight");
  const { left, top } = one(".nnw-sample-card").style;
  drag([
    [200, 200],
    [300, 200],
  ]);
  press("ArrowRight");
  const after = one(".nnw-sample-card").style;
  expect([after.left, after.top]).not.toEqual([left, top]);
});
