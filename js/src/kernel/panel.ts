/**
 * A view as anywidget sees it. `initialize` owns the comm; `render` mounts one view on it and returns what takes it down.
 * A view is built from `build(panel)`; the head (title, controls, caption, state) is the kernel's.
 */

import { type Theme, readTheme } from "./color.ts";
import { type HoverCard, makeCard } from "./card.ts";
import { type AnyModel, Connection, type Delivery, type Mounted } from "./connection.ts";
import { make } from "./dom.ts";
import { makeHead } from "./head.ts";
import type { CommonHeader } from "./header.ts";
import { bindKeys } from "./keys.ts";
import { type Lifetime, makeLifetime } from "./lifetime.ts";
import { makeTooltip } from "./tooltip.ts";
import type { Frame } from "./wire.ts";

export interface Panel extends Pick<Lifetime, "onDispose" | "listen"> {
  /** The view's own element, under the head; the widget's root is `panel.widget`. */
  root: HTMLElement;
  widget: HTMLElement;
  tooltip: ReturnType<typeof makeTooltip>;
  /** The hover card of samples, one for all blocks. */
  card: HoverCard;
  connection: Connection;
  command(name: string, value?: unknown): void;
  theme(): Theme;
  /** Draws at the next animation frame, once however often it is asked; `false` leaves out what has not changed. */
  redraw(all?: boolean): void;
}

export interface PanelView {
  /** The newest picture. */
  frame?(frame: Frame<CommonHeader>): void;
  /** The newest frame of a channel of the panel's own. */
  part?(frame: Frame<CommonHeader>): void;
  /** A header alone: state, age, selection. */
  state?(header: CommonHeader): void;
  /** After a frame, a theme change, a resize, `redraw()`; not `all` when nothing but a frame came. */
  draw(all: boolean): void;
  /** Each second, for ages. */
  tick?(): void;
  /** Names of options that are drawn in the view, so that the head leaves them out. */
  ownOptions?(): readonly string[];
  /** Whose size and place on the page are the panel's, where the widget's own element has none. */
  readonly extent?: HTMLElement;
}

const COMMON_CHANNELS: ReadonlySet<string> = new Set(["picture", "state"]);

export interface Widget {
  initialize(context: { model: AnyModel; early?: readonly Delivery[] }): () => void;
  render(context: { model: AnyModel; el: HTMLElement }): () => void;
}

type Build = (panel: Panel) => PanelView;

/** anywidget's default export: called once per model, so that all views of a model share one connection. */
export function definePanel(build: Build, { head = true } = {}): () => Widget {
  return () => {
    let connection: Connection | undefined;
    return {
      initialize({ model, early }) {
        const opened = new Connection(model, early);
        connection = opened;
        return () => opened.close();
      },
      render({ model, el }) {
        connection ??= new Connection(model);
        return mountPanel(connection, el, build, head);
      },
    };
  };
}

interface Loop extends Mounted {
  redraw(all?: boolean): void;
  stop(): void;
}

/** Draws at most once per animation frame: `draw` is told which channels have something new, or that all is to be. */
function makeLoop(channels: Iterable<string>, draw: (fresh: ReadonlySet<string>, all: boolean) => void): Loop {
  let fresh = new Set(channels);
  let all = true;
  let drawn: (() => void)[] = [];
  let pending = 0;
  const run = (): void => {
    pending = 0;
    const [now, everything, done] = [fresh, all, drawn];
    [fresh, all, drawn] = [new Set(), false, []];
    try {
      draw(now, everything);
    } finally {
      for (const callback of done) callback();
    }
  };
  const redraw = (everything = true): void => {
    all ||= everything;
    pending ||= requestAnimationFrame(run);
  };
  return {
    visible: document.visibilityState !== "hidden",
    redraw,
    stop: () => cancelAnimationFrame(pending),
    schedule(channel, callback) {
      if (channel) fresh.add(channel);
      if (callback) drawn.push(callback);
      redraw(false);
    },
  };
}

function mountPanel(connection: Connection, el: HTMLElement, build: Build, withHead: boolean): () => void {
  const { onDispose, listen, dispose } = makeLifetime();
  const [root, widget] = [make("div", "nnw-inner"), make("div", "nnw-panel")];
  // JupyterLab takes the arrows of what has the focus for its own, and letters: on our sliders, lists and buttons, too.
  bindKeys(widget, listen, () => false);
  el.append(widget);
  onDispose(() => widget.remove());
  const loop = makeLoop(connection.newest.keys(), draw);
  onDispose(loop.stop);
  const card = makeCard(widget, (index) => connection.ask("card", { index }));
  onDispose(card.hide);
  const panel: Panel = {
    root,
    widget,
    tooltip: makeTooltip(widget),
    card,
    connection,
    command: (name, value) => connection.command(name, value),
    theme: () => readTheme(widget),
    onDispose,
    listen,
    redraw: loop.redraw,
  };
  const head = withHead ? makeHead(panel) : null;
  if (head) widget.append(head.element);
  widget.append(root);
  const view = build(panel);
  const extent = view.extent ?? widget;
  let unseen = false;

  function draw(fresh: ReadonlySet<string>, all: boolean): void {
    const { header } = connection;
    const picture = connection.newest.get("picture");
    try {
      if (fresh.has("picture") && picture) {
        card.adoptStep(picture.header.step);
        view.frame?.(picture);
      }
      for (const channel of fresh) {
        const part = connection.newest.get(channel);
        if (part && !COMMON_CHANNELS.has(channel)) view.part?.(part);
      }
      if (fresh.has("state") && header) view.state?.(header);
      if (header?.own_picture) hidePicture(panel);
      const missed = unseen;
      unseen = !isLaidOut(extent);
      if (!unseen) view.draw(all || missed);
    } catch (error) {
      connection.report(error);
    }
    if (header) head?.update(header, view.ownOptions?.());
  }

  observe(panel, extent, connection, loop);
  const ticker = setInterval(() => {
    if (unseen && isLaidOut(extent)) loop.redraw();
    head?.tick();
    view.tick?.();
  }, 1000);
  onDispose(() => clearInterval(ticker));
  connection.mount(loop, el.clientWidth);
  onDispose(() => connection.unmount(loop));
  loop.redraw();
  return dispose;
}

/**
 * Whether the element has a size to be drawn at. JupyterLab takes the whole page out of the layout while it changes the
 * theme and puts it back at its old size, of which no observer tells.
 */
const isLaidOut = (element: HTMLElement): boolean => element.checkVisibility?.() !== false;

/** Follows what changes the picture without a frame: size, theme, and whether anyone can see it. */
function observe(panel: Panel, extent: HTMLElement, connection: { tellVisible(): void }, mounted: Mounted): void {
  let inside = true;
  const update = (): void => {
    mounted.visible = inside && document.visibilityState !== "hidden";
    connection.tellVisible();
  };
  const restyle = (): void => {
    panel.widget.classList.toggle("nnw-dark", panel.theme().dark);
    panel.redraw();
  };
  restyle();
  const place = new IntersectionObserver((entries) => {
    inside = entries.at(-1)?.isIntersecting ?? inside;
    update();
  });
  const size = new ResizeObserver(() => panel.redraw());
  const themes = new MutationObserver(restyle);
  place.observe(extent);
  size.observe(extent);
  themes.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  for (const observer of [place, size, themes]) panel.onDispose(() => observer.disconnect());
  panel.listen(document, "visibilitychange", update);
  panel.listen(matchMedia("(prefers-color-scheme: dark)"), "change", restyle);
  panel.listen(matchMedia("(forced-colors: active)"), "change", restyle);
}

/** While the widget lives, the picture beside it that a saved notebook shows is hidden; the style sheet does it. */
function hidePicture(panel: Panel): void {
  const output = panel.widget.closest(".jp-OutputArea-child");
  if (!output || output.classList.contains("nnw-live")) return;
  output.classList.add("nnw-live");
  panel.onDispose(() => output.classList.remove("nnw-live"));
}
