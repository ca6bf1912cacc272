/// <reference types="vite/client" />
import { describe, expect, test } from "vitest";

// One style sheet holds for all of a page, so a block names its classes after itself and styles no others.
const sources = import.meta.glob<string>("../src/{kernel,dashboard,blocks}/**/*.{css,ts}", {
  query: "?raw",
  import: "default",
  eager: true,
});
const files = Object.entries(sources).map(([path, text]) => ({ parts: path.replace("../src/", "").split(/[/.]/), text }));
const stems = [...new Set(files.filter(({ parts }) => parts[0] === "blocks").map(({ parts }) => parts[1]!))];

const textOf = (ending: string, belongs: (parts: string[]) => boolean): string =>
  files
    .filter(({ parts }) => parts.at(-1) === ending && belongs(parts))
    .map(({ text }) => text)
    .join("\n");
const ofStem = (stem: string, ending: string): string =>
  textOf(ending, (parts) => parts[0] === "blocks" && parts[1] === stem);
const shared = (ending: string): string => textOf(ending, (parts) => parts[0] !== "blocks");

/** Class names in code: variables of the style sheet begin with two dashes and are none. */
const classesIn = (text: string): string[] => [...text.matchAll(/(?<![\w-])nnw-[\w-]*\w/g)].map(([name]) => name);

/** Each selector of a sheet by itself; at-rules have none. */
function selectorsIn(css: string): string[] {
  const rules = css.replace(/\/\*.*?\*\//gs, "").matchAll(/([^{};]+)\{/g);
  const lists = [...rules].map(([, list]) => list!.trim()).filter((list) => !list.startsWith("@"));
  // A comma within brackets is not between selectors.
  return lists.flatMap((list) => list.split(/,(?![^(]*\))/)).map((selector) => selector.trim());
}

const isBlock = (stem: string): boolean => /^export const make\w+: MakeBlock\b/m.test(ofStem(stem, "ts"));
const ownBy = (stem: string) => (name: string) =>
  name === `nnw-${stem}` || name.startsWith(`nnw-${stem}-`) || name === `nnw-block-${stem}`;
const known = new Set(classesIn(shared("ts") + shared("css")));
/** What several blocks use: stems of src/blocks that are no blocks. */
const parts = stems.filter((stem) => !isBlock(stem));

test("there are blocks to look at", () => expect(stems.filter(isBlock).length).toBeGreaterThan(0));

describe.each(stems)("%s", (stem) => {
  test("styles only what is its own", () => {
    const foreign = selectorsIn(ofStem(stem, "css")).filter((selector) => !classesIn(selector).some(ownBy(stem)));
    expect(foreign).toEqual([]);
  });

  test("names its classes after itself, or uses the kernel's and those of parts that are no blocks", () => {
    const allowed = (name: string): boolean => known.has(name) || [stem, ...parts].some((each) => ownBy(each)(name));
    const foreign = classesIn(ofStem(stem, "ts") + ofStem(stem, "css")).filter((name) => !allowed(name));
    expect([...new Set(foreign)]).toEqual([]);
  });
});

test("kernel and dashboard take no names that belong to a block", () => {
  const named = stems.filter((stem) => classesIn(ofStem(stem, "ts") + ofStem(stem, "css")).some(ownBy(stem)));
  const taken = [...known].filter((name) => named.some((stem) => name.startsWith(`nnw-${stem}-`)));
  expect(taken).toEqual([]);
});
