/** Making elements. Text from Python is always text: nothing here parses markup. */

export type Child = Node | string;

/** An element with a class and children; strings become text nodes. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
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
