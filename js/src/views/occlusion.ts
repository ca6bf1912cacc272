/** What is lost when a square of the picture is covered: heat over the picture, and three maps of the square's places. */

import { makeControls } from "../kernel/controls.ts";
import { make, setText } from "../kernel/dom.ts";
import type { CommonHeader } from "../kernel/header.ts";
import { bindKeys } from "../kernel/keys.ts";
import { type Frame, type Panel, type PanelView, definePanel } from "../kernel/panel.ts";
import { type Figures, makeFigures, markCell } from "../occlusion/figures.ts";
import { type Cell, nearest, sizes } from "../occlusion/geometry.ts";
import { type OcclusionHeader, type Result, readResult, strongest } from "../occlusion/result.ts";
import { makeReadout } from "../occlusion/readout.ts";
import { tipFor } from "../occlusion/tip.ts";

const FIRST_OPACITY = 0.85;
const ARROWS: Record<string, readonly [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Where the square stands: at the strongest place, under the pointer, or where the user put it. */
class Square {
  fixed = false;
  /** Top-left in picture pixels, as the positions change with patch and stride. */
  #origin: readonly [number, number] | null = null;

  cell(result: Result): Cell {
    if (!this.#origin) return strongest(result);
    const { rows, cols } = result.positions;
    return { i: nearest(rows, 0, this.#origin[0]), j: nearest(cols, 0, this.#origin[1]) };
  }

  put(result: Result, { i, j }: Cell): void {
    const { rows, cols } = result.positions;
    const kept = (origins: ArrayLike<number>, k: number): number =>
      origins[Math.max(0, Math.min(k, origins.length - 1))]!;
    this.#origin = [kept(rows, i), kept(cols, j)];
  }
}

function build(panel: Panel): PanelView<OcclusionHeader> {
  const figures = makeFigures();
  const readout = makeReadout();
  const opacity = makeOpacity(panel);
  const picker = makeControls((name, value) => panel.command("option", { name, value }));
  const { overlay, p, map, class: predicted } = figures.byName;
  const own = make("div", "nnw-occ-own", picker.element, opacity.element);
  const panels = make("div", "nnw-occ-panels", p.element, map.element, predicted.element);
  const stage = make("div", "nnw-occ", overlay.element, panels, make("div", "nnw-occ-lower", readout.table, own));
  panel.root.append(stage, readout.live);
  panel.widget.classList.add("nnw-occlusion");

  const square = new Square();
  let shown: Frame<OcclusionHeader> | null = null;
  let result: Result | null = null;
  let painted = "";

  function showSquare(): void {
    if (!result) return;
    const cell = square.cell(result);
    stage.classList.toggle("nnw-fixed", square.fixed);
    markCell(stage, result.positions, cell);
    readout.show(result, cell, square.fixed);
  }

  function showOwnOptions(header: CommonHeader): void {
    picker.update((header.options ?? []).filter(({ name }) => name === "layer"));
  }

  followPointer(panel, figures, () => result, square, showSquare);
  bindKeys(stage, panel.listen, (event) => {
    const arrow = ARROWS[event.key];
    if (event.key === "Escape" && square.fixed) square.fixed = false;
    else if (arrow && result && event.target === stage) {
      const { i, j } = square.cell(result);
      square.put(result, { i: i + arrow[0], j: j + arrow[1] });
    } else return false;
    showSquare();
    if (arrow) readout.announce();
    return true;
  });
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");
  stage.setAttribute("aria-label", "Occlusion maps: arrow keys move the square");

  return {
    frame(frame) {
      if (frame === shown) return;
      shown = frame;
      result = readResult(frame) ?? result;
      painted = "";
      if (result) figures.describe(result.header);
      showOwnOptions(frame.header);
      showSquare();
    },
    state: showOwnOptions,
    draw() {
      const theme = panel.theme();
      const layout = sizes(panel.width());
      stage.dataset.mode = layout.mode;
      stage.style.columnGap = `${layout.gap}px`;
      stage.classList.toggle("nnw-empty", !result);
      const { dark, text, line, surface } = theme;
      const inputs = JSON.stringify([layout, opacity.value(), devicePixelRatio, dark, text, line, surface]);
      if (inputs === painted) return;
      painted = inputs;
      figures.resize(layout, result?.positions.size ?? [1, 1]);
      if (result) figures.paint(result, layout, opacity.value(), theme);
    },
  };
}

/** The square follows the pointer over any figure until a click fixes it; values show beside the pointer. */
function followPointer(
  panel: Panel,
  figures: Figures,
  current: () => Result | null,
  square: Square,
  changed: () => void,
): void {
  for (const [name, { frame }] of Object.entries(figures.byName)) {
    const at = (event: Event): { result: Result; row: number; col: number } | null => {
      const result = current();
      if (!result) return null;
      const { left, top, width, height } = frame.getBoundingClientRect();
      const { clientX, clientY } = event as PointerEvent;
      const [rows, cols] = result.positions.size;
      return { result, row: ((clientY - top) / height) * rows, col: ((clientX - left) / width) * cols };
    };
    const put = ({ result, row, col }: { result: Result; row: number; col: number }): Cell => {
      const { rows, cols, patch } = result.positions;
      return { i: nearest(rows, patch[0], row), j: nearest(cols, patch[1], col) };
    };
    panel.listen(frame, "pointermove", (event) => {
      const place = at(event);
      if (!place) return;
      if (!square.fixed) {
        square.put(place.result, put(place));
        changed();
      }
      const tip = tipFor(name, place.result, place.row, place.col, frame.getBoundingClientRect());
      if (tip) panel.tooltip.show(tip.near, tip.text, tip.strong);
      else panel.tooltip.hide();
    });
    panel.listen(frame, "pointerleave", () => panel.tooltip.hide());
    panel.listen(frame, "click", (event) => {
      const place = at(event);
      if (!place) return;
      square.fixed = true;
      square.put(place.result, put(place));
      changed();
    });
  }
}

/** How strongly the heat covers the picture; never told to Python. */
function makeOpacity(panel: Panel): { element: HTMLElement; value(): number } {
  const input = make("input", "nnw-slider");
  Object.assign(input, { type: "range", min: "0", max: "100", step: "5", value: String(100 * FIRST_OPACITY) });
  const output = make("output");
  const show = (): void => {
    setText(output, `${input.value}\u202f%`);
    input.style.setProperty("--nnw-share", `${input.value}%`);
  };
  show();
  panel.listen(input, "input", () => {
    show();
    panel.redraw();
  });
  const element = make("label", "nnw-occ-opacity", make("span", "", "Heat map opacity"), output, input);
  return { element, value: () => input.valueAsNumber / 100 };
}

export default definePanel(build, { ownOptions: ["layer"] });
