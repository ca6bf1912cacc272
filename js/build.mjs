// Bundles all that runs on a page into the Python package. With --check nothing is written: it only holds the size limits.
//
// nnwidgets.js  the code of all panels, sent once per page: src/page.ts with every block of src/blocks
// nnwidgets.css the style sheets of src/kernel, src/dashboard and src/blocks
// loader.js     what every widget carries: src/loader.ts
import { readFileSync, readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));
const target = join(root, "../nnwidgets/display/static");
// The loader travels with every widget instance, the rest once per page.
const limitBytes = { "nnwidgets.js": 220_000, "nnwidgets.css": 60_000, "loader.js": 1_800 };
const checkOnly = process.argv.includes("--check");

/** Files below a folder of src that end so, by name. */
function sources(folder, ending) {
  return readdirSync(join(root, "src", folder), { recursive: true })
    .filter((path) => path.endsWith(ending))
    .map((path) => `./src/${folder}/${path.replaceAll("\\", "/")}`)
    .sort();
}

/** The page with every block: a block of kind "strip" is what exports `makeStrip` in src/blocks/strip.ts or below src/blocks/strip. */
function pageEntry() {
  const makers = sources("blocks", ".ts").flatMap((path) => {
    const kind = relative("src/blocks", path).split(/[/\\.]/)[0];
    const name = `make${kind[0].toUpperCase()}${kind.slice(1)}`;
    const exported = new RegExp(`^export const ${name}: MakeBlock\\b`, "m").test(readFileSync(join(root, path), "utf8"));
    return exported ? [{ kind, name, path }] : [];
  });
  return [
    `import { makePage } from "./src/page.ts";`,
    ...makers.map(({ name, path }) => `import { ${name} } from ${JSON.stringify(path)};`),
    `const blocks = { ${makers.map(({ kind, name }) => `${kind}: ${name}`).join(", ")} };`,
    `export const start = (css, version) => makePage(blocks, css, version);`,
  ].join("\n");
}

const styleEntry = ["kernel", "dashboard", "blocks"]
  .flatMap((folder) => sources(folder, ".css"))
  .map((path) => `@import ${JSON.stringify(path)};`)
  .join("\n");

async function bundle(contents, loader) {
  const { outputFiles } = await build({
    stdin: { contents, loader, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    charset: "utf8",
    target: "es2022",
    format: loader === "css" ? undefined : "esm",
    logLevel: "warning",
  });
  return outputFiles[0].contents;
}

const files = {
  "nnwidgets.js": await bundle(pageEntry(), "js"),
  "nnwidgets.css": await bundle(styleEntry, "css"),
  "loader.js": await bundle(`export { default } from "./src/loader.ts";`, "js"),
};
if (!checkOnly) await mkdir(target, { recursive: true });
for (const [name, contents] of Object.entries(files)) {
  const size = `${name} ${(contents.byteLength / 1000).toFixed(1)} kB`;
  console.log(size);
  if (contents.byteLength > limitBytes[name]) {
    console.error(`${size}: expected at most ${limitBytes[name] / 1000} kB`);
    process.exitCode = 1;
  }
  if (!checkOnly) await writeFile(join(target, name), contents);
}
