/** Saves what is shown as PNG, SVG or CSV: in the page, so that it works while a cell runs and without a kernel. */

import type { Theme } from "../../kernel/color.ts";
import { make } from "../../kernel/dom.ts";
import { plainDigits } from "../../kernel/format.ts";
import type { CommonHeader } from "../../kernel/header.ts";
import type { Showing } from "./cloud.ts";
import { tableOf } from "./csv.ts";
import { type Counts, hex, keyLines } from "./key.ts";
import type { Column } from "./metadata.ts";
import { paintedColor } from "./paint.ts";
import { frameOf, pictureOf } from "./picture.ts";
import type { Stage } from "./stage.ts";
import { drawingOf } from "./svg.ts";

export type SaveKind = "png" | "svg" | "csv";

/** What the block shows now; file names begin with `name`. */
export interface Shown {
  readonly stage: Stage;
  readonly name: string;
  readonly header: CommonHeader;
  readonly columns: readonly Column[];
  readonly showing: Showing;
  readonly counts: Counts;
}

/** Subject, method and step in one line. */
export function captionText({ title, title_is_code, subtitle, caption = [] }: CommonHeader): string {
  const subject = [title_is_code ? `Layer ${title}` : title, subtitle].filter(Boolean).join(", ");
  return [subject, ...caption.map(([words]) => words)].join(" · ");
}

/** Makes the file and hands it to the browser's downloads. */
export function save(kind: SaveKind, { stage, name, header, columns, showing, counts }: Shown, theme: Theme): void {
  const { cloud, looks, sample } = stage;
  const file = fileName(name, header.title, header.step, kind);
  if (kind === "csv") {
    const table = tableOf(cloud, stage.shownRows(), showing.selected, columns);
    download(file, new Blob([table], { type: "text/csv" }));
    return;
  }
  const caption = captionText(header);
  const { scene, strokes, names, paint } = stage.still(theme);
  const quiet = hex(paintedColor(theme.text2, theme.behind));
  const tones = { ink: hex(scene.ink), quiet, brand: hex(scene.brand) };
  const index = sample < 0 ? null : (cloud.indices[sample] as number);
  const key = keyLines({ looks, showing, counts, sample: index, specks: kind === "png" }, theme, tones);
  const frame = frameOf(stage.size, key, caption, theme);
  if (kind === "png") {
    pictureOf(frame, tones.ink, theme, paint).toBlob((blob) => blob && download(file, blob), "image/png");
    return;
  }
  const drawing = drawingOf({ scene, strokes, names, sample, radius: stage.radius, frame, title: plainDigits(caption) }, theme);
  download(file, new Blob([drawing], { type: "image/svg+xml" }));
}

/** `embedding-conv2-step-1240.csv`: of names only what every file system takes. */
export function fileName(name: string, title: string, step: number | null | undefined, kind: SaveKind): string {
  const parts = [...[name, title].map((words) => words.replace(/[^\w.-]+/g, "-")), ...(typeof step === "number" ? [`step-${step}`] : [])];
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
