/** Names that lose their middle where there is no room for them: the end is what tells two apart. */

import { make, setText } from "./dom.ts";

/** A name of so many letters fits the narrowest row; of longer ones the last three never give way. */
const FITS = 6;
const TAIL = 3;

/** A name as its beginning, which gives way first, and its end. */
export function splitName(name: string): [string, string] {
  const letters = Array.from(name);
  const at = letters.length > FITS ? letters.length - TAIL : letters.length;
  return [letters.slice(0, at).join(""), letters.slice(at).join("")];
}

/** An element for a name; whoever shows it puts the whole name into a tooltip. */
export function makeName(className: string): { element: HTMLElement; show(name: string): void } {
  const [start, end] = [make("span"), make("span")];
  return {
    element: make("span", `nnw-name ${className}`, start, end),
    show(name) {
      const parts = splitName(name);
      setText(start, parts[0]);
      setText(end, parts[1]);
    },
  };
}
