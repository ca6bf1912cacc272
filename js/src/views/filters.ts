/** The filters of a layer as tiles, and one of them over training. */

import type { GridHeader } from "../grid/header.ts";
import { makeGrid } from "../grid/view.ts";
import { definePanel } from "../kernel/panel.ts";

export default definePanel<GridHeader>((panel) => makeGrid(panel, "unit"));
