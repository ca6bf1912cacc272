/** Paragraphs of plain words. */

import { make } from "../kernel/dom.ts";
import type { MakeBlock } from "./block.ts";
import type { TextBlock } from "./types.ts";

export const makeText: MakeBlock<TextBlock> = () => {
  const element = make("div", "nnw-text");
  let shown = "";
  return {
    element,
    update({ paragraphs, lead }) {
      const now = JSON.stringify([paragraphs, lead]);
      if (now === shown) return;
      shown = now;
      const opening = lead ? [make("b", "", lead), " "] : [];
      const texts = paragraphs.length > 0 ? paragraphs : lead ? [""] : [];
      element.replaceChildren(...texts.map((text, i) => make("p", "", ...(i === 0 ? opening : []), text)));
    },
    draw: () => undefined,
  };
};
