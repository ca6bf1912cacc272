/// <reference types="vite/client" />
import { expect, test } from "vitest";

// What belongs together; activations and filters are grids.
const folders: Record<string, string[]> = {
  grid: ["grid", "views/activations", "views/filters"],
  occlusion: ["occlusion", "views/occlusion"],
  embedding: ["embedding", "views/embedding"],
  dashboard: ["dashboard", "views/dashboard"],
  kernel: ["kernel"],
};
const files = Object.entries(
  import.meta.glob<string>("../src/**/*.{css,ts}", { query: "?raw", import: "default", eager: true }),
);

function textOf(owner: string, ending: string): string {
  const own = files.filter(
    ([path]) => path.endsWith(ending) && folders[owner]!.some((start) => path.startsWith(`../src/${start}`)),
  );
  return own.map(([, text]) => text).join("\n");
}

/** Classes that a rule of their own styles wherever they are: `.nnw-tile {`, and none within or beside another. */
function styledAnywhere(owner: string): Set<string> {
  const selectors = textOf(owner, ".css").matchAll(/([^{}]+)\{/g);
  const single = [...selectors].flatMap(([, list]) => list!.split(",").map((one) => one.trim()));
  return new Set(single.filter((selector) => /^\.nnw-[\w-]+$/.test(selector)).map((selector) => selector.slice(1)));
}

// In a dashboard the style sheets of all views hold at once.
test.each(Object.keys(folders).filter((owner) => owner !== "kernel"))("%s styles no class of another view's", (owner) => {
  const styled = styledAnywhere(owner);
  expect(styled.size).toBeGreaterThan(5);
  for (const other of Object.keys(folders).filter((each) => each !== owner)) {
    const used = textOf(other, ".ts").match(/nnw-[\w-]+/g) ?? [];
    expect(used.filter((name) => styled.has(name)), `used in ${other}`).toEqual([]);
  }
});
