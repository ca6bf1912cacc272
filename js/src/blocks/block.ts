/** What a block is on the page: an element that draws the data of one `nnwidgets.blocks` dataclass. */

import type { Theme } from "../kernel/color.ts";
import type { CommonHeader } from "../kernel/header.ts";
import type { Panel } from "../kernel/panel.ts";

/** What every block carries; `key` is its name within the view. */
export interface BlockData {
  kind: string;
  key: string;
  title: string;
  note: string;
  /** Blocks of a view that have one share a place; this is the name of the tab. */
  tab?: string;
}

/** What a block may use: the panel it stands in, and the messages that name the block. */
export interface Host {
  /**
   * The view's panel as the block sees it: what it listens to ends with the block, `redraw()` draws this block alone,
   * and `root` is the block's own.
   */
  panel: Panel;
  /** Something in the block was clicked; Python checks `where` (`Block.where`) and calls `View.clicked`. */
  click(where: unknown): void;
  /** What Python is to know of the block's own state (`Block.state_from`), such as the page turned to. */
  tell(state: Record<string, unknown>): void;
}

export interface BlockView<B extends BlockData> {
  element: HTMLElement;
  /** The block writes `title` and `note` itself; else the host puts them in a line above it. */
  readonly ownTitle?: boolean;
  /** Names of options whose controls the block draws, so that the head leaves them out. */
  readonly ownOptions?: readonly string[];
  /** New data: all fields, whether or not they changed. Arrays keep their identity while they stay the same. */
  update(data: B, header: CommonHeader): void;
  /** Draws at a width in CSS px: after an update, a theme change, a resize, `panel.redraw()`. */
  draw(width: number, theme: Theme): void;
  /** A header without new data: the selection, the options and the state may have changed. A draw follows. */
  state?(header: CommonHeader): void;
}

export type MakeBlock<B extends BlockData> = (host: Host) => BlockView<B>;
