/** Activations of a layer for one sample: maps as tiles, vectors as strips, sequences as one picture. */

import type { GridHeader } from "../grid/header.ts";
import { makeGrid } from "../grid/view.ts";
import { definePanel } from "../kernel/panel.ts";

export default definePanel<GridHeader>((panel) => makeGrid(panel, "unit"));
