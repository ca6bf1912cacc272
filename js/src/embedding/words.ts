/** What is said of the map and of a point in words, without asking Python. Pure. */

import { formatCount, formatFixed, formatValue } from "../kernel/format.ts";
import type { CardText } from "./card.ts";
import { type Cloud, NO_CLASS } from "./cloud.ts";
import type { Looks } from "./looks.ts";
import { type Column, wordsOf } from "./metadata.ts";

const KEYS = "Arrow keys walk the points, Enter looks at one; P, B, L choose the tool, F shows all, / searches.";

/** The canvas's label. */
export function summaryOf(cloud: Cloud, title: string, counts: { wrong: number; selected: number }): string {
  const words = [
    `Map of ${formatCount(cloud.n)} samples of ${title}`,
    `${cloud.classes.length} classes`,
    `${formatCount(counts.wrong)} wrong`,
    `${formatCount(counts.selected)} selected`,
  ];
  return `${words.join(", ")}. ${KEYS}`;
}

/** What the card of a point says at once. */
export function cardOf(cloud: Cloud, columns: readonly Column[], row: number): CardText {
  const [label, loss] = [cloud.labels[row] as number, cloud.loss[row] as number];
  const lines: [string, string][] = [];
  if (label !== NO_CLASS) lines.push(["label", cloud.classes[label]?.name ?? String(label)]);
  if (Number.isFinite(loss)) lines.push(["loss", formatValue(loss)]);
  return { title: `Sample ${formatCount(cloud.indices[row] as number)}`, lines: [...lines, ...wordsOf(columns, row)] };
}

/** What colours a row, name and value; null by classes and predictions, which are said everywhere. */
export function colourWords({ color, column }: Looks, row: number): readonly [string, string] | null {
  const [value = Number.NaN, name] = [color?.numbers[row], color?.name ?? column?.name];
  if (name === undefined) return null;
  const [words = ""] = color || !column ? [] : wordsOf([column], row).map(([, text]) => text);
  const decimals = { loss: 4, probability: 2 }[name];
  const number = decimals === undefined ? formatValue(value) : formatFixed(value, decimals);
  return [name, (Number.isFinite(value) ? number : words) || "no value"];
}
