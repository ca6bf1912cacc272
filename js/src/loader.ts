/**
 * The code that every widget carries. It finds the widget that holds the page's own code, imports that once per page and
 * version, and keeps what Python sends meanwhile. anywidget drops the messages of a model that is not ready after two
 * seconds, so `initialize` waits for nothing.
 */

import type { AnyModel, Delivery } from "./kernel/connection.ts";
import type { Widget } from "./kernel/panel.ts";
import type { Page } from "./page.ts";

interface Manager {
  get_model(id: string): Promise<Pick<AnyModel, "get">> | undefined;
}
type HostModel = AnyModel & { widget_manager: Manager };
interface PageModule {
  start(css: string, version: string): Page;
}
type Pages = Map<string, Promise<Page>>;

const PATIENCE_MS = 10_000;
const WAIT_MS = 100;

/** After a reload of the page its models come in any order. */
async function holderOf(model: HostModel): Promise<Pick<AnyModel, "get">> {
  const until = Date.now() + PATIENCE_MS;
  let problem: unknown = new Error("the widget with the code is gone");
  while (Date.now() < until) {
    try {
      const holder = await model.widget_manager.get_model(String(model.get("code")));
      if (holder) return holder;
    } catch (error) {
      problem = error;
    }
    await new Promise((done) => setTimeout(done, WAIT_MS));
  }
  throw problem;
}

async function importText(text: string): Promise<PageModule> {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    return (await import(/* @vite-ignore */ url)) as PageModule;
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function pageOf(model: HostModel, load: typeof importText): Promise<Page> {
  const holder = await holderOf(model);
  const [version, code, css] = ["version", "code", "css"].map((name) => String(holder.get(name))) as [string, string, string];
  const shared = globalThis as typeof globalThis & { nnwidgetsPages?: Pages };
  const pages = (shared.nnwidgetsPages ??= new Map());
  const page = pages.get(version) ?? load(code).then((module) => module.start(css, version));
  pages.set(version, page);
  page.catch(() => pages.delete(version));
  return page;
}

/** anywidget's default export; `load` is handed in by tests. */
export default function define(load = importText): {
  initialize(context: { model: HostModel }): () => void;
  render(context: { model: HostModel; el: HTMLElement }): Promise<() => void>;
} {
  let opening: Promise<{ widget: Widget; close: () => void }>;
  return {
    initialize({ model }) {
      const early: Delivery[] = [];
      const keep = (...delivery: Delivery): void => void early.push(delivery);
      model.on("msg:custom", keep as (...args: never[]) => void);
      opening = pageOf(model, load).then((page) => {
        const widget = page.open(String(model.get("part")));
        return { widget, close: widget.initialize({ model, early }) };
      });
      const stop = (): void => model.off("msg:custom", keep as (...args: never[]) => void);
      opening.then(stop, stop);
      return () => void opening.then(({ close }) => close(), stop);
    },
    async render({ model, el }) {
      const opened = await opening.catch((error: unknown) => {
        el.textContent = `nnwidgets: this page could not load the code of its views; reload the page. (${String(error)})`;
      });
      return opened ? opened.widget.render({ model, el }) : () => el.replaceChildren();
    },
  };
}
