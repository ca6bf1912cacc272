/** All that runs on a page, once for all widgets: what each part of the toolkit shows there, and the style. */

import { buildDashboard } from "./dashboard/dashboard.ts";
import { type Registry, makeBlocks } from "./kernel/blocks.ts";
import { type Widget, definePanel } from "./kernel/panel.ts";
import { dress } from "./kernel/style.ts";

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
        initialize: (context) => widget.initialize(context),
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
