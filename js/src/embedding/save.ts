/** Files of what is shown: a picture, a drawing, a table. Made in the page, so that they come while a cell runs and without a kernel. */

import type { Theme } from "../kernel/color.ts";
import { make } from "../kernel/dom.ts";
import { plainDigits } from "../kernel/format.ts";
import type { EmbeddingHeader } from "./cloud.ts";
import { tableOf } from "./csv.ts";
import { captionLines, pictureOf } from "./picture.ts";
import type { Stage } from "./stage.ts";
import { drawingOf } from "./svg.ts";

export type SaveKind = "png" | "svg" | "csv";

/** Subject, method and step in one line. */
export function captionText(header: EmbeddingHeader): string {
  return [`Layer ${header.title}`, ...(header.caption ?? []).map(([words]) => words)].join(" · ");
}

/** Makes the file and hands it to the browser's downloads. */
export function save(
  kind: SaveKind,
  stage: Stage,
  header: EmbeddingHeader,
  selected: readonly number[],
  theme: Theme,
): void {
  const name = fileName(header.title, header.step, kind);
  if (kind === "csv") {
    const table = tableOf(stage.cloud, stage.shownRows(), new Set(selected));
    download(name, new Blob([table], { type: "text/csv" }));
    return;
  }
  const caption = captionText(header);
  const lines = captionLines(caption, stage.size.width, theme);
  const still = stage.still(theme);
  if (kind === "png") {
    pictureOf(stage.size, lines, theme, still.paint).toBlob((blob) => blob && download(name, blob), "image/png");
    return;
  }
  const { scene, strokes, names } = still;
  const drawing = drawingOf({ scene, strokes, names, lines, title: plainDigits(caption) }, theme);
  download(name, new Blob([drawing], { type: "image/svg+xml" }));
}

/** `embedding-conv2-step-1240.csv`: of a layer's name only what every file system takes. */
export function fileName(layer: string, step: number | null | undefined, kind: SaveKind): string {
  const parts = ["embedding", layer.replace(/[^\w.-]+/g, "-"), ...(typeof step === "number" ? [`step-${step}`] : [])];
  return `${parts.filter(Boolean).join("-")}.${kind}`;
}

/** Hands a file to the browser's downloads. */
export function download(name: string, blob: Blob): void {
  const link = make("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken hold of it once the click is through.
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}
