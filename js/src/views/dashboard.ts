/** The dashboard's own parts: one bundle, and the `part` trait says which of them this widget is. */

import { buildLayers } from "../dashboard/layers.ts";
import { buildStatus } from "../dashboard/status.ts";
import { buildTabs } from "../dashboard/tabs.ts";
import type { CommonHeader } from "../kernel/header.ts";
import { type Panel, type PanelView, definePanel } from "../kernel/panel.ts";

const PARTS: Record<string, (panel: Panel) => PanelView<never>> = {
  status: buildStatus,
  layers: buildLayers,
  tabs: buildTabs,
};

function build(panel: Panel): PanelView<CommonHeader> {
  const part = String(panel.trait("part"));
  const make = PARTS[part];
  if (!make) throw new RangeError(`part: expected ${Object.keys(PARTS).join(", ")}, got ${part}`);
  return make(panel) as PanelView<CommonHeader>;
}

export default definePanel(build, { head: false });
