/** What colours the points and what their size says: groups with a legend, or numbers on a scale. Knows no DOM. */

import { type Lut, type Theme, lookUp } from "../../kernel/color.ts";
import { LEAST_AREA, MOST_AREA } from "../../kernel/looks.ts";
import { type Cloud, NO_CLASS, tally } from "./cloud.ts";
import type { Column } from "./metadata.ts";

/** Numbers of the rows and the ends of their scale; NaN is no value. */
export interface Scale {
  readonly name: string;
  /** Colours go by the square root: of losses most are small, and a few are many times the rest. */
  readonly root?: boolean;
  readonly numbers: ArrayLike<number>;
  readonly low: number;
  readonly high: number;
}

export interface Looks {
  readonly cloud: Cloud;
  /** The same with its rows in the groups of the legend instead of their classes. */
  readonly grouped: Cloud;
  /** What the groups are. */
  readonly head: string;
  /** Whether the groups' names stand on the map. */
  readonly named: boolean;
  readonly color: Scale | null;
  readonly size: Scale | null;
  /** How many points have no colour of their own. */
  readonly missing: number;
}

/** The area of a point grows from half to four times the usual one. */
export const AREA = { least: LEAST_AREA, most: MOST_AREA };

/** How a cloud looks by two choices, each a name of the view's own or of a column. Scales in `before` only grow. */
export function looksOf(
  cloud: Cloud,
  columns: readonly Column[],
  colorBy: string,
  sizeBy: string,
  before: Looks | null,
): Looks {
  const inGroups = columns.some(({ name, codes }) => name === colorBy && codes !== null);
  const color = inGroups ? null : scaleOf(colorBy, cloud, columns, before?.color);
  const groups = groupsOf(colorBy, cloud, columns);
  return {
    cloud,
    ...groups,
    color,
    size: scaleOf(sizeBy, cloud, columns, before?.size),
    missing: color ? count(color.numbers, Number.isNaN) : count(groups.grouped.labels, (label) => label === NO_CLASS),
  };
}

function groupsOf(by: string, cloud: Cloud, columns: readonly Column[]): Pick<Looks, "grouped" | "head" | "named"> {
  const regroup = (labels: ArrayLike<number>, names: readonly string[]): Cloud => ({
    ...cloud,
    labels,
    classes: tally(labels, cloud.wrong, names),
  });
  if (by === "prediction")
    return { grouped: regroup(cloud.predicted, cloud.predictedNames), head: "Prediction", named: true };
  if (by === "correctness") {
    const codes = new Int16Array(cloud.n).fill(NO_CLASS);
    for (let i = 0; i < cloud.n; i++)
      if (cloud.labels[i] !== NO_CLASS && cloud.predicted[i] !== NO_CLASS) codes[i] = cloud.wrong[i] as number;
    return { grouped: regroup(codes, ["correct", "wrong"]), head: "Correctness", named: false };
  }
  const column = columns.find(({ name }) => name === by);
  // What is said of samples need not gather them anywhere.
  if (column?.codes) return { grouped: regroup(column.codes, column.names), head: by, named: false };
  return { grouped: cloud, head: "Class", named: true };
}

/** The scale of numbers named so, or null where a name says no numbers. Both signs: as far below zero as above. */
function scaleOf(by: string, cloud: Cloud, columns: readonly Column[], before: Scale | null | undefined): Scale | null {
  if (by === "confidence") return { name: "probability", numbers: cloud.confidence, low: 0, high: 1 };
  if (by === "loss") {
    let high = before?.name === by ? before.high : 0;
    for (let i = 0; i < cloud.n; i++) if ((cloud.loss[i] as number) > high) high = cloud.loss[i] as number;
    return { name: by, root: true, numbers: cloud.loss, low: 0, high };
  }
  const column = columns.find(({ name }) => name === by);
  if (!column?.numbers) return null;
  const { numbers, low, high } = column;
  const most = Math.max(-low, high);
  return low < 0 && high > 0 ? { name: by, numbers, low: -most, high: most } : { name: by, numbers, low, high };
}

export const scaleLut = (scale: Scale, theme: Theme): Lut => (scale.low < 0 && scale.high > 0 ? theme.markDiverging : theme.markInk);

/** The packed colour of a number on a scale. */
export function scaleColor(scale: Scale, value: number, theme: Theme): number {
  const [at, low, high] = [value, scale.low, scale.high].map(scale.root ? Math.sqrt : Number) as [number, number, number];
  return lookUp(scaleLut(scale, theme), at, low, high);
}

/** What a bar of the colours calls its scale. */
export const colorName = ({ name, root }: Scale): string => (root ? `${name}, root scale` : name);

/** By how much a point's radius is multiplied; without a value it is as small as can be. */
export function sizeFactor(scale: Scale | null, row: number): number {
  if (!scale) return 1;
  const value = scale.numbers[row] as number;
  const share = scale.high > scale.low ? (value - scale.low) / (scale.high - scale.low) : 0;
  const clipped = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  return Math.sqrt(AREA.least + clipped * (AREA.most - AREA.least));
}

function count(values: ArrayLike<number>, fits: (value: number) => boolean): number {
  let found = 0;
  for (let i = 0; i < values.length; i++) if (fits(values[i] as number)) found += 1;
  return found;
}
