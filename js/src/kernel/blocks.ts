/**
 * The body of a view: its blocks in order and rows, the history under them. Makes, feeds, draws and removes blocks;
 * knows none of them by name.
 */

import type { BlockData, BlockView, MakeBlock } from "../blocks/block.ts";
import type { Theme } from "./color.ts";
import { make, setHidden, setText, showText } from "./dom.ts";
import type { CommonHeader } from "./header.ts";
import { makeHistory } from "./history.ts";
import { makeLifetime } from "./lifetime.ts";
import type { PlacedBlock } from "./merge.ts";
import type { Panel, PanelView } from "./panel.ts";
import { makeTabbed } from "./tabbed.ts";

/** What draws each kind of block. */
export type Registry = Readonly<Record<string, MakeBlock<never>>>;

export function makeBlocks(panel: Panel, registry: Registry): PanelView {
  const element = make("div", "nnw-blocks");
  const history = makeHistory(panel);
  const tabbed = makeTabbed(panel);
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
      const slot = old?.kind === data.kind ? old : makeSlot(panel, registry, data.kind, data.key);
      if (slot === old) before.delete(data.key);
      shown.set(data.key, slot);
      slot.show(data, header);
    }
    arrange(blocks);
    tabbed.update(blocks.map(({ data }) => data));
    for (const slot of before.values()) slot.remove();
    setHidden(empty, blocks.length > 0);
    history.update(header.kept);
  }

  /** Puts the blocks into their rows; they are moved only when their order or their rows change. */
  function arrange(blocks: readonly PlacedBlock[]): void {
    const order = JSON.stringify(blocks.map(({ row, data }) => [row, data.kind, data.key, Boolean(data.tab)]));
    if (order === arranged) return;
    arranged = order;
    const focused = document.activeElement;
    const rows = new Map<number, HTMLElement>();
    for (const { row, data } of blocks) {
      const line = data.tab ? tabbed.element : (rows.get(row) ?? make("div", "nnw-block-row"));
      rows.set(row, line);
      if (!data.tab) line.append(shown.get(data.key)!.section);
    }
    const sharing = blocks.filter(({ data }) => data.tab);
    tabbed.arrange(sharing.map(({ data }) => ({ data, section: shown.get(data.key)!.section })));
    element.replaceChildren(...new Set(rows.values()));
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
    ownOptions: () => [...shown.values()].flatMap((slot) => slot.ownOptions()),
  };
}

type Slot = ReturnType<typeof makeSlot>;

/** One block in its section. What it throws shows there, and the others go on. */
function makeSlot(panel: Panel, registry: Registry, kind: string, key: string) {
  const { onDispose, listen, dispose } = makeLifetime();
  const [title, note] = [make("span"), make("span")];
  const label = make("div", "nnw-label", title, note);
  const body = make("div", "nnw-block-body");
  const error = make("pre", "nnw-error");
  const section = make("section", `nnw-block nnw-block-${kind.replace(/\W/g, "-")}`, label, body, error);
  let view: BlockView<BlockData> | null = null;
  let shown: BlockData | null = null;
  let stale = true;
  let updated = false;
  let drawnAt = -1;
  let told = "";
  error.role = "alert";
  label.hidden = error.hidden = true;
  section.dataset.key = key;

  const maker = Object.hasOwn(registry, kind) ? (registry[kind] as MakeBlock<BlockData>) : undefined;
  try {
    if (maker) {
      view = maker({
        panel: { ...panel, root: body, onDispose, listen, redraw },
        click: (where) => panel.command("click", { block: key, where }),
        tell: (state) => panel.command("block_state", { block: key, state }),
      });
      body.append(view.element);
    } else fail(`This page's code does not know ${kind}; reload the page`);
  } catch (failure) {
    fail(failure);
  }

  function redraw(): void {
    stale = true;
    panel.redraw(false);
  }

  /** Whether it went well; if it did, there is something to draw. */
  function attempt(act: (view: BlockView<BlockData>) => void): boolean {
    if (!view) return false;
    stale = true;
    try {
      act(view);
      return true;
    } catch (failure) {
      fail(failure);
      return false;
    }
  }

  function fail(failure: unknown): void {
    const text = failure instanceof Error ? failure.message : String(failure);
    showText(error, text);
    if (text !== told) panel.connection.tell(failure);
    told = text;
  }

  function tell(header: CommonHeader): void {
    if (updated && view?.state) updated = attempt((each) => each.state?.(header));
  }

  return {
    section,
    kind,
    tell,
    ownOptions: (): readonly string[] => view?.ownOptions ?? [],
    show(data: BlockData, header: CommonHeader): void {
      if (data === shown) return tell(header);
      shown = data;
      setText(title, data.title);
      setText(note, data.note);
      setHidden(label, view?.ownTitle === true || !(data.title || data.note));
      updated = attempt((each) => each.update(data, header));
    },
    draw(theme: Theme, anyway: boolean): void {
      const width = body.clientWidth;
      if (!updated || !(anyway || stale || width !== drawnAt)) return;
      if (attempt((each) => each.draw(width, theme))) setHidden(error, true);
      stale = false;
      drawnAt = width;
    },
    remove(): void {
      dispose();
      section.remove();
      panel.tooltip.hide();
      panel.card.hide();
    },
  };
}
