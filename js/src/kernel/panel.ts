/**
 * A view as anywidget sees it. `initialize` owns the comm; `render` mounts one view on it and returns what takes it down.
 * A view is built from `build(panel)`; the head (title, controls, caption, state) is the kernel's.
 */

import { type Theme, readTheme } from "./color.ts";
import { type AnyModel, Connection, type Mounted } from "./connection.ts";
import { make } from "./dom.ts";
import { makeHead } from "./head.ts";
import type { CommonHeader } from "./header.ts";
import { type Tooltip, makeTooltip } from "./tooltip.ts";
import type { Frame } from "./wire.ts";

export type { CommonHeader } from "./header.ts";
export type { Frame, NdArray } from "./wire.ts";

export interface Panel {
  /** The view's own element, under the head; the widget's root is `panel.widget`. */
  root: HTMLElement;
  widget: HTMLElement;
  tooltip: Tooltip;
  connection: Connection<CommonHeader>;
  /** A synced trait; only `part` is one besides the code itself. */
  trait(name: string): unknown;
  command(name: string, value?: unknown): void;
  /** A command that Python answers; rejects with the error's text. */
  ask(name: string, value?: unknown): Promise<Frame<Record<string, unknown>>>;
  theme(): Theme;
  /** Inner width of the root in CSS px. */
  width(): number;
  onDispose(remove: () => void): void;
  /** addEventListener, removed on dispose. */
  listen(
    target: EventTarget,
    type: string,
    handler: (event: Event) => void,
    options?: AddEventListenerOptions | boolean,
  ): void;
  /** Draws at the next animation frame, once however often it is asked. */
  redraw(): void;
}

export interface PanelView<H> {
  /** The newest picture. */
  frame(frame: Frame<H>): void;
  /** The newest frame of a channel of the view's own, which carries what a picture does not repeat. */
  part?(frame: Frame<CommonHeader>): void;
  /** A header alone: state, age, selection. */
  state?(header: CommonHeader): void;
  /** After a frame, a theme change, a resize, `redraw()`. */
  draw(): void;
  /** Each second, for ages. */
  tick?(): void;
}

const COMMON_CHANNELS: ReadonlySet<string> = new Set(["picture", "state"]);

interface RenderContext {
  model: AnyModel;
  el: HTMLElement;
}

export interface Widget {
  initialize(context: { model: AnyModel }): () => void;
  render(context: RenderContext): () => void;
}

export interface PanelOptions {
  head?: boolean;
  /** Names of options that the view draws itself, so that the head leaves them out. */
  ownOptions?: readonly string[];
}

/** anywidget's default export: called once per model, so that all views of a model share one connection. */
export function definePanel<H extends CommonHeader>(
  build: (panel: Panel) => PanelView<H>,
  options: PanelOptions = {},
): () => Widget {
  return () => {
    let connection: Connection<H> | undefined;
    return {
      initialize({ model }) {
        const opened = new Connection<H>(model);
        connection = opened;
        return () => opened.close();
      },
      render({ model, el }) {
        connection ??= new Connection<H>(model);
        return mountPanel(connection, model, el, build, options);
      },
    };
  };
}

/** What a view set up and how it is taken down again, last made first. */
function makeLifetime(): Pick<Panel, "onDispose" | "listen"> & { dispose(): void } {
  const removers: (() => void)[] = [];
  const onDispose = (remove: () => void): void => void removers.push(remove);
  return {
    onDispose,
    listen(target, type, handler, how) {
      target.addEventListener(type, handler, how);
      onDispose(() => target.removeEventListener(type, handler, how));
    },
    dispose: () => removers.splice(0).reverse().forEach((remove) => remove()),
  };
}

interface Loop extends Mounted {
  redraw(): void;
  stop(): void;
}

/** Draws at most once per animation frame: `draw` is told which channels have something new. */
function makeLoop(channels: Iterable<string>, draw: (fresh: ReadonlySet<string>) => void): Loop {
  let fresh = new Set(channels);
  let drawn: (() => void)[] = [];
  let pending = 0;
  const run = (): void => {
    pending = 0;
    const [now, done] = [fresh, drawn];
    [fresh, drawn] = [new Set(), []];
    try {
      draw(now);
    } finally {
      for (const callback of done) callback();
    }
  };
  const redraw = (): void => {
    pending ||= requestAnimationFrame(run);
  };
  return {
    visible: document.visibilityState !== "hidden",
    redraw,
    stop: () => cancelAnimationFrame(pending),
    schedule(channel, callback) {
      if (channel) fresh.add(channel);
      if (callback) drawn.push(callback);
      redraw();
    },
  };
}

function mountPanel<H extends CommonHeader>(
  connection: Connection<H>,
  model: AnyModel,
  el: HTMLElement,
  build: (panel: Panel) => PanelView<H>,
  options: PanelOptions,
): () => void {
  const { onDispose, listen, dispose } = makeLifetime();
  const [root, widget] = [make("div", "nnw-inner"), make("div", "nnw-panel")];
  el.append(widget);
  onDispose(() => widget.remove());
  const loop = makeLoop(connection.newest.keys(), draw);
  onDispose(loop.stop);
  const panel: Panel = {
    root,
    widget,
    tooltip: makeTooltip(widget),
    connection: connection as unknown as Connection<CommonHeader>,
    trait: (name) => model.get(name),
    command: (name, value) => connection.command(name, value),
    ask: (name, value) => connection.ask(name, value),
    theme: () => readTheme(widget),
    width: () => root.clientWidth,
    onDispose,
    listen,
    redraw: loop.redraw,
  };
  const head = (options.head ?? true) ? makeHead(panel, options.ownOptions) : null;
  if (head) widget.append(head.element);
  widget.append(root);
  const view = build(panel);
  let unseen = false;

  function draw(fresh: ReadonlySet<string>): void {
    const { header } = connection;
    const picture = connection.newest.get("picture");
    try {
      if (fresh.has("picture") && picture) view.frame(picture);
      for (const channel of fresh) {
        const part = connection.newest.get(channel);
        if (part && !COMMON_CHANNELS.has(channel)) view.part?.(part);
      }
      if (fresh.has("state") && header) view.state?.(header);
      if (header?.own_picture) hidePicture(panel);
      unseen = !isLaidOut(widget);
      if (!unseen) view.draw();
    } catch (error) {
      connection.report(error);
    }
    if (header) head?.update(header);
  }

  observe(panel, connection, loop);
  const ticker = setInterval(() => {
    if (unseen && isLaidOut(widget)) loop.redraw();
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
function observe(panel: Panel, connection: { tellVisible(): void }, mounted: Mounted): void {
  let inside = true;
  const update = (): void => {
    mounted.visible = inside && document.visibilityState !== "hidden";
    connection.tellVisible();
  };
  panel.listen(document, "visibilitychange", update);
  if (typeof IntersectionObserver === "function") {
    const observer = new IntersectionObserver((entries) => {
      inside = entries.at(-1)?.isIntersecting ?? inside;
      update();
    });
    observer.observe(panel.widget);
    panel.onDispose(() => observer.disconnect());
  }
  if (typeof ResizeObserver === "function") {
    const observer = new ResizeObserver(() => panel.redraw());
    observer.observe(panel.widget);
    panel.onDispose(() => observer.disconnect());
  }
  const restyle = (): void => {
    panel.widget.classList.toggle("nnw-dark", panel.theme().dark);
    panel.redraw();
  };
  restyle();
  const themes = new MutationObserver(restyle);
  themes.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  panel.onDispose(() => themes.disconnect());
  if (typeof matchMedia === "function") {
    panel.listen(matchMedia("(prefers-color-scheme: dark)"), "change", restyle);
    panel.listen(matchMedia("(forced-colors: active)"), "change", restyle);
  }
}

/** While the widget lives, the picture beside it that a saved notebook shows is hidden; the style sheet does it. */
function hidePicture(panel: Panel): void {
  const output = panel.widget.closest(".jp-OutputArea-child");
  if (!output || output.classList.contains("nnw-live")) return;
  output.classList.add("nnw-live");
  panel.onDispose(() => output.classList.remove("nnw-live"));
}
