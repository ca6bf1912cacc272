/** One unit at the steps that were kept, under the columns of the grid. */

import type { Theme } from "../kernel/color.ts";
import { make, setHidden, setText } from "../kernel/dom.ts";
import type { Hit } from "../kernel/hover.ts";
import type { Frame } from "../kernel/wire.ts";
import type { GridHeader } from "./header.ts";
import { Tiles } from "./tiles.ts";

export interface Film {
  element: HTMLElement;
  tiles: HTMLElement;
  update(frame: Frame<GridHeader>): void;
  draw(width: number, theme: Theme): void;
  hit(x: number, y: number): Hit | null;
}

/** The film's own header: it shows one unit on one scale, whatever the tiles above do. */
function filmFrame({ header, arrays }: Frame<GridHeader>): Frame<GridHeader> | null {
  const { film, scale } = header;
  if (!film || !arrays.film) return null;
  const own = scale.mode === "map" ? scale.per_tile?.[header.selected_tile ?? 0] : undefined;
  const [lo, hi] = own ?? [scale.lo, scale.hi];
  const tiles = {
    units: film.labels.map((_, i) => i),
    labels: film.labels.map(([step]) => step),
    values: film.labels.map(([, value]) => value),
    flags: [],
    aria: film.labels.map(([step, value]) => `step ${step}, ${value}`),
  };
  const own_header: GridHeader = { ...header, tiles, scale: { ...scale, mode: "layer", lo, hi } };
  return { channel: "picture", header: own_header, arrays: { maps: arrays.film } };
}

export function makeFilm(): Film {
  const [title, sub] = [make("span", "nnw-section"), make("span")];
  const tiles = new Tiles("group", "step");
  const element = make("div", "nnw-film", make("div", "nnw-film-title", title, sub), tiles.element);
  return {
    element,
    tiles: tiles.element,
    update(frame) {
      const own = filmFrame(frame);
      setHidden(element, !own);
      if (!own) return;
      setText(title, frame.header.film?.title ?? "");
      setText(sub, frame.header.film?.sub ?? "");
      tiles.element.setAttribute("aria-label", title.textContent ?? "");
      tiles.update(own);
    },
    draw: (width, theme) => tiles.draw(width, theme, null),
    hit: (x, y) => tiles.hit(x, y),
  };
}
