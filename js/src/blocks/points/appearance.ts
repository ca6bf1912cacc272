/** How the points look now: their cloud, what else is known of them, what colours and sizes them. Knows no DOM. */

import type { PointsBlock } from "../types.ts";
import { EMPTY_CLOUD, readCloud, sameCloud } from "./cloud.ts";
import { type Looks, looksOf } from "./looks.ts";
import { type Column, readColumns, sameColumns } from "./metadata.ts";

/** What an update changed: the points themselves, their looks only, or neither. */
export type Change = "points" | "looks" | "nothing";

export class Appearance {
  /** A value of each for every row of the cloud. */
  columns: readonly Column[] = [];
  looks: Looks = looksOf(EMPTY_CLOUD, [], "class", "equal", null);
  #data: PointsBlock | null = null;

  adopt(data: PointsBlock): Change {
    const before = this.#data;
    this.#data = data;
    const moved = !sameCloud(data, before);
    const dressed = !sameColumns(data, before) || data.color !== before?.color || data.size !== before.size;
    if (!moved && !dressed) return "nothing";
    if (!sameColumns(data, before)) this.columns = readColumns(data);
    const cloud = moved ? readCloud(data) : this.looks.cloud;
    this.looks = looksOf(cloud, this.columns, data.color, data.size, this.looks);
    return moved ? "points" : "looks";
  }
}
