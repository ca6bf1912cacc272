/** The edge of the layer list: dragged or moved by arrow keys it sets the list's width, a double click gives it up. */

import { make } from "../kernel/dom.ts";
import { bindKeys } from "../kernel/keys.ts";
import type { Panel } from "../kernel/panel.ts";

const LEAST = 148;
/** The views keep at least this share of the dashboard. */
const MOST_SHARE = 0.5;
const STEP = 16;

/** Stands in the list that it sizes. */
export function makeGrip(panel: Panel): HTMLElement {
  const grip = make("div", "nnw-layers-grip");
  [grip.role, grip.ariaLabel, grip.ariaOrientation] = ["separator", "Width of the layer list", "vertical"];
  grip.title = "Drag to resize";
  grip.tabIndex = 0;
  let from: number | null = null;

  const width = (): number => grip.parentElement?.offsetWidth ?? 0;
  const body = (): HTMLElement | null => grip.closest<HTMLElement>(".nnw-dashboard-body");

  function resize(wished: number): void {
    const within = Math.round(Math.min(Math.max(wished, LEAST), MOST_SHARE * (body()?.clientWidth ?? Infinity)));
    body()?.style.setProperty("--nnw-layers-width", `${within}px`);
    grip.ariaValueNow = String(within);
  }

  panel.listen(grip, "pointerdown", (event) => {
    grip.setPointerCapture(event.pointerId);
    from = event.clientX - width();
  });
  panel.listen(grip, "pointermove", ({ clientX }) => from !== null && resize(clientX - from));
  panel.listen(grip, "lostpointercapture", () => (from = null));
  panel.listen(grip, "dblclick", () => body()?.style.removeProperty("--nnw-layers-width"));
  bindKeys(grip, panel.listen, ({ key }) => {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP }[key];
    if (by !== undefined) resize(width() + by);
    return by !== undefined;
  });
  return grip;
}
