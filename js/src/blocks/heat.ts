/** A picture with heat over it, and linked maps of what happens with a square at each position of the picture. */

import { makeControls } from "../kernel/controls.ts";
import { make, setText } from "../kernel/dom.ts";
import type { CommonHeader } from "../kernel/header.ts";
import { ARROWS, bindKeys } from "../kernel/keys.ts";
import type { Panel } from "../kernel/panel.ts";
import type { MakeBlock } from "./block.ts";
import { type Result, readBlock, strongest } from "./heat/data.ts";
import { makeFigures, markCell } from "./heat/figures.ts";
import { type Cell, nearest, sizes } from "./heat/geometry.ts";
import { makeReadout } from "./heat/readout.ts";
import { tipFor } from "./heat/table.ts";
import type { HeatBlock } from "./types.ts";

const FIRST_OPACITY = 0.85;

/** Where the square stands: at the strongest place, under the pointer, or where the user put it. */
class Square {
  fixed = false;
  /** Top-left in picture pixels, as the positions may change. */
  #origin: readonly [number, number] | null = null;

  get placed(): boolean {
    return this.#origin !== null;
  }

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

  leave(): void {
    if (!this.fixed) this.#origin = null;
  }
}

export const makeHeat: MakeBlock<HeatBlock> = ({ panel, click }) => {
  const square = new Square();
  let result: Result | null = null;
  let painted = "";

  const readout = makeReadout();
  const opacity = makeOpacity(panel);
  const picker = makeControls((name, value) => panel.command("option", { name, value }));
  const figures = makeFigures(follow);
  const own = make("div", "nnw-heat-own", picker.element, opacity.element);
  const lower = make("div", "nnw-heat-lower", readout.table, own);
  const stage = make("div", "nnw-heat-stage", figures.overlay, figures.panels, lower, readout.live);
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");

  function showSquare(): void {
    if (!result) return;
    const cell = square.cell(result);
    stage.classList.toggle("nnw-heat-fixed", square.fixed);
    stage.classList.toggle("nnw-heat-unmarked", !result.block.squares && !square.placed);
    markCell(stage, result.positions, cell);
    readout.show(result, cell, square.fixed);
  }

  function showOptions({ options = [] }: CommonHeader): void {
    picker.update(options.filter(({ name }) => result?.block.options.includes(name)));
  }

  function tell(): void {
    if (!result?.block.clickable) return;
    const { i, j } = square.cell(result);
    click([result.block.squares ? "position" : "pixel", i, j]);
  }

  /** The square follows the pointer over a figure until a click fixes it; values show beside the pointer. */
  function follow(frame: HTMLElement, figure: number): void {
    const place = ({ clientX, clientY }: MouseEvent): [row: number, col: number] => {
      const { left, top, width, height } = frame.getBoundingClientRect();
      const [rows, cols] = result!.size;
      return [((clientY - top) / height) * rows, ((clientX - left) / width) * cols];
    };
    const put = (row: number, col: number): void => {
      const { rows, cols, patch } = result!.positions;
      square.put(result!, { i: nearest(rows, patch[0], row), j: nearest(cols, patch[1], col) });
      showSquare();
    };
    panel.listen(frame, "pointermove", (event) => {
      if (!result) return;
      const at = place(event);
      if (!square.fixed) put(...at);
      const tip = tipFor(figure, result, ...at, frame.getBoundingClientRect());
      if (tip) panel.tooltip.show(tip.near, tip.text, tip.strong);
      else panel.tooltip.hide();
    });
    panel.listen(frame, "pointerleave", () => {
      panel.tooltip.hide();
      if (result?.block.squares) return;
      // A pixel alone is marked only while it is pointed at.
      square.leave();
      showSquare();
    });
    panel.listen(frame, "click", (event) => {
      if (!result) return;
      square.fixed = true;
      put(...place(event));
      tell();
    });
  }

  bindKeys(stage, panel.listen, (event) => {
    const arrow = ARROWS[event.key];
    if (event.key === "Escape" && square.fixed) square.fixed = false;
    else if (event.key === "Enter" && result?.block.clickable && event.target === stage) tell();
    else if (arrow && result && event.target === stage) {
      const { i, j } = square.cell(result);
      square.put(result, { i: i + arrow[1], j: j + arrow[0] });
    } else return false;
    showSquare();
    if (arrow) readout.announce();
    return true;
  });

  return {
    element: stage,
    ownTitle: true,
    get ownOptions() {
      return result?.block.options ?? [];
    },
    update(data, header) {
      result = readBlock(data);
      painted = "";
      figures.describe(result);
      stage.setAttribute("aria-label", `${data.title}: arrow keys move the ${data.squares ? "square" : "mark"}`);
      showOptions(header);
      showSquare();
    },
    state: showOptions,
    draw(width, theme) {
      if (!result) return;
      const layout = sizes(width, result.panels.length);
      stage.dataset.mode = layout.mode;
      stage.style.columnGap = `${layout.gap}px`;
      const { dark, text, line, surface } = theme;
      const inputs = JSON.stringify([layout, opacity.value(), devicePixelRatio, dark, text, line, surface]);
      if (inputs === painted) return;
      painted = inputs;
      figures.resize(layout, result);
      figures.paint(result, layout, opacity.value(), theme);
    },
  };
};

/** How strongly the heat covers the picture; never told to Python. */
function makeOpacity(panel: Panel): { element: HTMLElement; value(): number } {
  const input = make("input", "nnw-range");
  Object.assign(input, { type: "range", min: "0", max: "100", step: "5", value: String(100 * FIRST_OPACITY) });
  const output = make("output");
  const show = (): void => {
    setText(output, `${input.value}\u202f%`);
    input.style.setProperty("--nnw-share", String(value()));
  };
  const value = (): number => input.valueAsNumber / 100;
  show();
  panel.listen(input, "input", () => {
    show();
    panel.redraw();
  });
  const element = make("label", "nnw-heat-opacity", make("span", "", "Heat map opacity"), output, input);
  return { element, value };
}
