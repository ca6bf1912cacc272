/** How the cloud looks now, by the options in force and what the user says of the samples. Knows no DOM. */

import type { CommonHeader, Frame } from "../kernel/panel.ts";
import { type Cloud, EMPTY_CLOUD } from "./cloud.ts";
import { type Looks, looksOf } from "./looks.ts";
import { type Column, NO_METADATA, columnsOf, readMetadata } from "./metadata.ts";

export class Appearance {
  /** The user's columns, row by row of the cloud. */
  columns: readonly Column[] = [];
  looks: Looks = looksOf(EMPTY_CLOUD, [], "class", "equal", null);
  #metadata = NO_METADATA;
  #color = "class";
  #size = "equal";

  /** Whether the header's options ask for other looks. */
  adopt({ options = [] }: CommonHeader): boolean {
    const value = (name: string, otherwise: string): string =>
      String(options.find((option) => option.name === name)?.value ?? otherwise);
    const [color, size] = [value("color", "class"), value("size", "equal")];
    if (color === this.#color && size === this.#size) return false;
    [this.#color, this.#size] = [color, size];
    this.dress(this.looks.cloud);
    return true;
  }

  /** Takes a frame of the channel "metadata". */
  say(frame: Frame<CommonHeader>): void {
    this.#metadata = readMetadata(frame);
    this.dress(this.looks.cloud);
  }

  dress(cloud: Cloud): void {
    this.columns = columnsOf(this.#metadata, cloud);
    this.looks = looksOf(cloud, this.columns, this.#color, this.#size, this.looks);
  }
}
