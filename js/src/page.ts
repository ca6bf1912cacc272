/** All that runs on a page, once for all widgets: what each part of the toolkit shows there, and the style. */

import { buildDashboard } from "./dashboard/dashboard.ts";
import { type Registry, makeBlocks } from "./kernel/blocks.ts";
import { type Widget, definePanel } from "./kernel/panel.ts";

export interface Page {
  /** The widget of a part: "view" or "dashboard". */
  open(part: string): Widget;
}

/** `blocks` is gathered by build.mjs, `css` and its `version` come from Python with this code. */
export function makePage(blocks: Registry, css: string, version: string): Page {
  const sheet = { css, version, since: performance.now() };
  const parts: Readonly<Record<string, () => Widget>> = {
    view: definePanel((panel) => makeBlocks(panel, blocks)),
    dashboard: definePanel(buildDashboard, { head: false }),
  };
  return {
    open(part) {
      const make = parts[part];
      if (!make) throw new RangeError(`part: expected ${Object.keys(parts).join(", ")}, got ${part}`);
      const widget = make();
      return {
        ...widget,
        render(context) {
          const undress = dress(context.el, sheet);
          const unmount = widget.render(context);
          return () => {
            undress();
            unmount();
          };
        },
      };
    },
  };
}

interface Sheet {
  css: string;
  version: string;
  /** When this version came to the page (ms): a later one takes the place of an earlier. */
  since: number;
}

/** Puts the sheet into the root that `el` is in, or will be. Returns the undoing of what is still to come. */
function dress(el: HTMLElement, sheet: Sheet): () => void {
  place(el, sheet);
  // Hosts attach the element after they had it rendered, and some of them into a shadow root.
  const later = el.isConnected ? 0 : requestAnimationFrame(() => place(el, sheet));
  return () => cancelAnimationFrame(later);
}

function place(el: HTMLElement, { css, version, since }: Sheet): void {
  const root = el.getRootNode();
  const home = root instanceof ShadowRoot ? root : el.ownerDocument.head;
  const present = home.querySelector<HTMLStyleElement>("style[data-nnw-style]");
  if (present && (present.dataset.nnwStyle === version || Number(present.dataset.nnwSince) > since)) return;
  const style = present ?? document.createElement("style");
  Object.assign(style.dataset, { nnwStyle: version, nnwSince: String(since) });
  style.textContent = css;
  if (!present) home.append(style);
}
