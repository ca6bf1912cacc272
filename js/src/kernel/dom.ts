/** Making elements. Text from Python is always text: nothing here parses markup. */

import type { Rect } from "./canvas.ts";

/** An element with a class and children; strings become text nodes. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  // By default a button submits the form around it.
  if (element instanceof HTMLButtonElement) element.type = "button";
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Sets the text only when it changed, so that a refresh costs no layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setHidden(element: HTMLElement, hidden: boolean): void {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** Sets the text; without any the element is hidden. */
export function showText(element: HTMLElement, text: string): void {
  setText(element, text);
  setHidden(element, text === "");
}

/** Puts an element at a place in the one around it, in CSS px. */
export function setBox(element: HTMLElement, { x, y, width, height }: Rect): void {
  Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
}

/** Shows the first `count` of the rows made so far in an element, adds those that are missing and hides the others. */
export function showRows<R extends { element: HTMLElement }>(
  parent: HTMLElement,
  rows: R[],
  count: number,
  makeRow: (place: number) => R,
): void {
  while (rows.length < count) {
    const row = makeRow(rows.length);
    rows.push(row);
    parent.append(row.element);
  }
  rows.forEach(({ element }, place) => setHidden(element, place >= count));
}

const SVG = "http://www.w3.org/2000/svg";

/** A 16 × 16 mark drawn with the text colour, from path data; `filled` paths are filled, others stroked. */
export function icon(paths: readonly string[], options: { filled?: boolean; dash?: string } = {}): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "nnw-icon");
  svg.ariaHidden = "true";
  for (const d of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("fill", options.filled ? "currentColor" : "none");
    if (!options.filled) path.setAttribute("stroke", "currentColor");
    if (options.dash) path.setAttribute("stroke-dasharray", options.dash);
    svg.append(path);
  }
  return svg;
}
