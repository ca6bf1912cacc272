/** The canvas's label and the first lines of a point's card, without asking Python. Pure. */

import { formatCount, formatValue } from "../../kernel/format.ts";
import type { CardLine } from "../../kernel/card.ts";
import { type Cloud, NO_CLASS } from "./cloud.ts";
import { type Column, wordsOf } from "./metadata.ts";

const KEYS = "Arrow keys walk the points, Enter looks at one; P, B, L choose the tool, F shows all, / searches.";

/** The canvas's label. */
export function summaryOf(cloud: Cloud, title: string, counts: { wrong: number; selected: number }): string {
  const words = [
    `Map of ${formatCount(cloud.n)} samples${title && ` of ${title}`}`,
    `${cloud.classes.length} classes`,
    `${formatCount(counts.wrong)} wrong`,
    `${formatCount(counts.selected)} selected`,
  ];
  return `${words.join(", ")}. ${KEYS}`;
}

/** The card's lines before Python answers. */
export function cardOf(cloud: Cloud, columns: readonly Column[], row: number): CardLine[] {
  const [label, loss] = [cloud.labels[row] as number, cloud.loss[row] as number];
  const lines: [string, string][] = [];
  if (label !== NO_CLASS) lines.push(["label", cloud.classes[label]?.name ?? String(label)]);
  if (Number.isFinite(loss)) lines.push(["loss", formatValue(loss)]);
  return [...lines, ...wordsOf(columns, row)];
}
