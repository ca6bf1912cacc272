/** Samples beside each other: small pictures, or cards of words, with what is known of each. */

import { paintPicture, picturePixels } from "../kernel/canvas.ts";
import { make, setHidden, setText, showRows } from "../kernel/dom.ts";
import { formatCount, plainDigits } from "../kernel/format.ts";
import type { CommonHeader } from "../kernel/header.ts";
import type { Panel } from "../kernel/panel.ts";
import type { NdArray } from "../kernel/wire.ts";
import type { MakeBlock } from "./block.ts";
import { bindCursor, placeOf, rectWithin } from "./cursor.ts";
import { makeNothing } from "./nothing.ts";
import type { StripBlock } from "./types.ts";

const CELL = { picture: 56, words: 88 };
const GAP = 8;
const MOST_IN_LINE = 12;

/** How many cells a width holds, how many of them are samples, and how many more the last one says there are. */
export function stripCells(
  width: number,
  { total, shown, wrap, cell = CELL.picture }: { total: number; shown: number; wrap: boolean; cell?: number },
): { columns: number; cells: number; more: number } {
  const fits = Math.max(2, Math.floor((width + GAP) / (cell + GAP)));
  if (wrap) return { columns: fits, cells: shown, more: total - shown };
  const columns = Math.min(MOST_IN_LINE, fits);
  const all = total <= columns && shown >= total;
  const cells = Math.min(shown, all ? columns : columns - 1);
  return { columns, cells, more: total - cells };
}

/** All that is known of one sample, in a sentence. */
export function sampleWords(data: StripBlock, place: number): string {
  const { labels, predicted, values, value_name: name } = data;
  const parts = labels[place] ? [`label ${labels[place]}`] : [];
  if (predicted.length > 0) parts.push(`predicted ${predicted[place]}`);
  if (values.length > 0) parts.push(`${name} ${values[place]}`.trim());
  const index = formatCount(data.samples.data[place] as number);
  return `Sample ${index}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`;
}

/** Letters that a line of a cell holds. */
const LETTERS = { picture: 9, words: 14 };

/** Texts with what they are in front, where there is room for it in all of them. */
function named(name: string, texts: readonly string[], letters: number): readonly string[] {
  const room = name !== "" && texts.every((text) => name.length + 1 + text.length <= letters);
  return room ? texts.map((text) => (text ? `${name} ${text}` : "")) : texts;
}

type Cell = ReturnType<typeof makeCell>;

function makeCell(place: number) {
  const picture = make("canvas", "nnw-strip-picture");
  picture.ariaHidden = "true";
  const [label, value, index] = [make("span", "nnw-strip-label"), make("span", "nnw-strip-value"), make("span", "nnw-strip-index")];
  const element = make("div", "nnw-strip-cell", picture, label, value, index);
  element.role = "option";
  element.dataset["place"] = String(place);
  return { element, picture, label, value, index };
}

export const makeStrip: MakeBlock<StripBlock> = ({ panel, click }) => {
  const [list, more] = [make("div", "nnw-strip-cells"), make("div", "nnw-strip-more")];
  const nothing = makeNothing(list);
  const links = makeLinks(panel, () => data?.samples);
  const element = make("div", "nnw-strip", links, list, nothing.element);
  const cells: Cell[] = [];
  let data: StripBlock | undefined;
  let shown = 0;
  let sample: number | null = null;
  let painted: { pictures: NdArray | undefined; count: number } = { pictures: undefined, count: 0 };

  const refreshCursor = bindCursor(panel, list, {
    role: "listbox",
    count: () => shown,
    columns: () => (data ? layout(panel.root.clientWidth).columns : 1),
    at: (_x, _y, hit) => placeOf(hit),
    place: (index) => ({ rect: rectWithin(cells[index]!.element, list), text: sampleWords(data!, index) }),
    item: (index) => cells[index]?.element,
    choose: (index) => click(index),
  });

  function layout(width: number): ReturnType<typeof stripCells> {
    const cell = data?.pictures ? CELL.picture : CELL.words;
    return stripCells(width, { total: data!.samples.data.length, shown: data!.labels.length, wrap: data!.wrap, cell });
  }

  function fill(cell: Cell, now: StripBlock, place: number): void {
    const [label, predicted] = [now.labels[place] ?? "", now.predicted[place]];
    const letters = LETTERS[now.pictures ? "picture" : "words"];
    const index = now.samples.data[place] as number;
    const said = predicted === undefined ? named("label", now.labels, letters)[place] : `${label} → ${predicted}`;
    setText(cell.label, said ?? "");
    cell.label.classList.toggle("nnw-strip-wrong", predicted !== undefined && predicted !== label);
    setText(cell.value, named(now.value_name, now.values, letters)[place] ?? "");
    setHidden(cell.value, now.values.length === 0);
    setText(cell.index, `#${formatCount(index)}`);
    setHidden(cell.picture, now.pictures === undefined);
    cell.element.ariaLabel = sampleWords(now, place);
    cell.element.ariaSelected = String(index === sample);
  }

  return {
    element,
    update(next, header) {
      data = next;
      sample = readSample(header);
      const none = next.labels.length === 0;
      nothing.show(none, next.empty);
      setHidden(links, none || !next.selection);
      list.ariaLabel = next.title || "Samples";
      element.classList.toggle("nnw-strip-wrapped", next.wrap);
      element.classList.toggle("nnw-strip-words", next.pictures === undefined);
    },
    state(header) {
      sample = readSample(header);
    },
    draw(width) {
      if (!data) return;
      const { cells: count, more: others } = layout(width);
      shown = count;
      showRows(list, cells, count, makeCell);
      if (list.lastChild !== more) list.append(more);
      for (let place = 0; place < count; place++) fill(cells[place]!, data, place);
      const { pictures } = data;
      if (pictures && (pictures !== painted.pictures || count > painted.count)) {
        for (let place = 0; place < count; place++) paintPicture(cells[place]!.picture, picturePixels(pictures, place, true));
        painted = { pictures, count };
      }
      setText(more, `+${formatCount(others)}`);
      setHidden(more, others <= 0 || count === 0);
      refreshCursor();
    },
  };
};

const readSample = (header: CommonHeader): number | null => header.selection?.sample ?? null;

/** "Copy indices" and "Clear", for the samples that are selected in all views. */
function makeLinks(panel: Panel, samples: () => NdArray | undefined): HTMLElement {
  const [copy, clear] = [make("button", "nnw-strip-link nnw-link", "Copy indices"), make("button", "nnw-strip-link nnw-link", "Clear")];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const say = (text: string): void => {
    setText(copy, text);
    clearTimeout(timer);
    timer = setTimeout(() => setText(copy, "Copy indices"), 1500);
  };
  panel.onDispose(() => clearTimeout(timer));
  panel.listen(copy, "click", () => {
    const indices = Array.from(samples()?.data ?? [], (index) => plainDigits(String(index)));
    // No permission or no secure page: the browser alone knows why.
    const written = navigator.clipboard?.writeText(`[${indices.join(", ")}]`) ?? Promise.reject(new Error("no clipboard"));
    written.then(
      () => say("Copied"),
      () => say("Copying is not allowed here"),
    );
  });
  panel.listen(clear, "click", () => panel.command("select", { selected: [] }));
  return make("div", "nnw-strip-links", copy, clear);
}
