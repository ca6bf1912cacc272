/**
 * The body of a view: its blocks in order and rows, the history under them. Makes, feeds, draws and removes blocks;
 * knows none of them by name.
 */

import type { BlockData, BlockView, MakeBlock } from "../blocks/block.ts";
import type { Theme } from "./color.ts";
import { make, setHidden, setText, showText } from "./dom.ts";
import type { CommonHeader } from "./header.ts";
import { makeHistory } from "./history.ts";
import { type Lifetime, makeLifetime } from "./lifetime.ts";
import type { PlacedBlock } from "./merge.ts";
import type { Panel, PanelView } from "./panel.ts";

/** What draws each kind of block. */
export type Registry = Readonly<Record<string, MakeBlock<never>>>;

export function makeBlocks(panel: Panel, registry: Registry): PanelView {
  const element = make("div", "nnw-blocks");
  const history = makeHistory(panel);
  const empty = make("div", "nnw-blocks-empty");
  panel.root.append(element, empty, history.element);
  panel.onDispose(() => shown.forEach((slot) => slot.remove()));
  let shown = new Map<string, Slot>();
  let arranged = "";

  function frame(header: CommonHeader): void {
    const before = shown;
    shown = new Map();
    const { blocks } = panel.connection;
    for (const { data } of blocks) {
      const old = before.get(data.key);
      const slot = old?.kind === data.kind ? old : new Slot(panel, registry, data.kind, data.key);
      if (slot === old) before.delete(data.key);
      shown.set(data.key, slot);
      slot.show(data, header);
    }
    arrange(blocks);
    for (const slot of before.values()) slot.remove();
    setHidden(empty, blocks.length > 0);
    history.update(header.kept);
  }

  /** Puts the blocks into their rows; they are moved only when their order or their rows change. */
  function arrange(blocks: readonly PlacedBlock[]): void {
    const order = JSON.stringify(blocks.map(({ row, data }) => [row, data.kind, data.key]));
    if (order === arranged) return;
    arranged = order;
    const focused = document.activeElement;
    const rows = new Map<number, HTMLElement>();
    for (const { row, data } of blocks) {
      const line = rows.get(row) ?? make("div", "nnw-block-row");
      rows.set(row, line);
      line.append(shown.get(data.key)!.section);
    }
    element.replaceChildren(...rows.values());
    // An element that is moved loses the focus.
    if (focused instanceof HTMLElement && element.contains(focused)) focused.focus({ preventScroll: true });
  }

  return {
    frame: ({ header }) => frame(header),
    state(header) {
      for (const slot of shown.values()) slot.tell(header);
      history.update(header.kept);
    },
    draw(all) {
      const theme = panel.theme();
      for (const slot of shown.values()) slot.draw(theme, all);
    },
    ownOptions: () => [...shown.values()].flatMap((slot) => slot.ownOptions),
  };
}

/** One block in its section. What it throws shows there, and the others go on. */
class Slot {
  readonly section: HTMLElement;
  readonly kind: string;
  readonly #panel: Panel;
  readonly #lifetime: Lifetime = makeLifetime();
  readonly #title = make("span");
  readonly #note = make("span");
  readonly #label = make("div", "nnw-label", this.#title, this.#note);
  readonly #body = make("div", "nnw-block-body");
  readonly #error = make("pre", "nnw-error");
  #view: BlockView<BlockData> | null = null;
  #data: BlockData | null = null;
  #stale = true;
  #updated = false;
  #drawnAt = -1;
  #told = "";

  constructor(panel: Panel, registry: Registry, kind: string, key: string) {
    this.kind = kind;
    this.#panel = panel;
    this.#error.role = "alert";
    this.#label.hidden = this.#error.hidden = true;
    this.section = make("section", `nnw-block nnw-block-${kind.replace(/\W/g, "-")}`, this.#label, this.#body, this.#error);
    this.section.dataset.key = key;
    const maker = Object.hasOwn(registry, kind) ? (registry[kind] as MakeBlock<BlockData>) : undefined;
    if (!maker) {
      this.#fail(`This page's code does not know ${kind}; reload the page`);
      return;
    }
    try {
      this.#view = maker({
        panel: this.#ownPanel(),
        click: (where) => panel.command("click", { block: key, where }),
        tell: (state) => panel.command("block_state", { block: key, state }),
      });
      this.#body.append(this.#view.element);
    } catch (error) {
      this.#fail(error);
    }
  }

  get ownOptions(): readonly string[] {
    return this.#view?.ownOptions ?? [];
  }

  show(data: BlockData, header: CommonHeader): void {
    if (data === this.#data) {
      this.tell(header);
      return;
    }
    this.#data = data;
    setText(this.#title, data.title);
    setText(this.#note, data.note);
    setHidden(this.#label, this.#view?.ownTitle === true || !(data.title || data.note));
    this.#updated = this.#try((view) => view.update(data, header));
  }

  tell(header: CommonHeader): void {
    if (this.#updated && this.#view?.state) this.#updated = this.#try((view) => view.state?.(header));
  }

  draw(theme: Theme, anyway: boolean): void {
    const width = this.#body.clientWidth;
    if (!this.#updated || !(anyway || this.#stale || width !== this.#drawnAt)) return;
    const drawn = this.#try((view) => view.draw(width, theme));
    if (drawn) setHidden(this.#error, true);
    this.#stale = false;
    this.#drawnAt = width;
  }

  remove(): void {
    this.#lifetime.dispose();
    this.section.remove();
    this.#panel.tooltip.hide();
    this.#panel.card.hide();
  }

  /** Whether it went well; if it did, there is something to draw. */
  #try(act: (view: BlockView<BlockData>) => void): boolean {
    if (!this.#view) return false;
    this.#stale = true;
    try {
      act(this.#view);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    showText(this.#error, text);
    if (text !== this.#told) this.#panel.connection.tell(error);
    this.#told = text;
  }

  #ownPanel(): Panel {
    const { onDispose, listen } = this.#lifetime;
    return {
      ...this.#panel,
      root: this.#body,
      onDispose,
      listen,
      redraw: () => {
        this.#stale = true;
        this.#panel.redraw(false);
      },
    };
  }
}
