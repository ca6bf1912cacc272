// Bundles every view of src/views into the Python package. With --check nothing is written: it only holds the size limit.
import { existsSync, readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));
const views = join(root, "src/views");
const target = join(root, "../nnwidgets/views/static");
// `_esm` travels with every widget instance, so a bundle must stay small: about 20 kB of each is the kernel.
const limitBytes = { js: 90_000, css: 24_000 };
const checkOnly = process.argv.includes("--check");

/** The view's code, and the kernel's style followed by the view's own. */
async function bundle(stem) {
  const common = { bundle: true, minify: true, write: false, charset: "utf8", target: "es2022", logLevel: "warning" };
  const code = await build({ ...common, entryPoints: [join(views, `${stem}.ts`)], format: "esm" });
  const sheets = ["src/kernel/kernel.css", "src/kernel/curves.css", `src/views/${stem}.css`]
    .map((path) => join(root, path))
    .filter((path) => existsSync(path));
  const imports = sheets.map((path) => `@import ${JSON.stringify(path)};`).join("\n");
  const style = await build({ ...common, stdin: { contents: imports, loader: "css", resolveDir: root } });
  return { js: code.outputFiles[0].contents, css: style.outputFiles[0].contents };
}

const stems = readdirSync(views)
  .filter((name) => name.endsWith(".ts"))
  .map((name) => basename(name, ".ts"));
if (!checkOnly) await mkdir(target, { recursive: true });
for (const stem of stems) {
  const files = await bundle(stem);
  for (const [kind, contents] of Object.entries(files)) {
    const size = `${stem}.${kind} ${(contents.byteLength / 1000).toFixed(1)} kB`;
    console.log(size);
    if (contents.byteLength > limitBytes[kind]) {
      console.error(`${size}: expected at most ${limitBytes[kind] / 1000} kB; a bundle travels with every widget instance`);
      process.exitCode = 1;
    }
    if (!checkOnly) await writeFile(join(target, `${stem}.${kind}`), contents);
  }
}
