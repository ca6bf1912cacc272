/** What the activations and the filters send besides the common header. */

import type { CommonHeader } from "../kernel/header.ts";
import type { Frame } from "../kernel/wire.ts";

export interface ScaleHeader {
  mode: "layer" | "map";
  lo: number;
  hi: number;
  signed: boolean;
  unit: string;
  per_tile: [number, number][] | null;
}

export interface TilesHeader {
  units: number[];
  labels: string[];
  values: string[];
  flags: string[];
  aria: string[];
}

export interface FilmHeader {
  title: string;
  sub?: string;
  labels: [string, string][];
}

export interface GridHeader extends CommonHeader {
  layout: "maps" | "strips" | "sequence";
  tiles: TilesHeader;
  scale: ScaleHeader;
  page: { index: number; count: number; text: string } | null;
  selected_tile: number | null;
  grid_title: string;
  hint?: string;
  detail_title?: string;
  detail_facts?: string;
  input_title?: string;
  prediction?: [string, number][];
  row_titles?: string[];
  film?: FilmHeader | null;
  /** Size (h, w) of the layer's maps, which may be larger than the ones sent. */
  map_size?: [number, number];
}

/** Empty frames that stand in for the tiles before the first result. */
const EXPECTED = 8;

/** Tiles named by their index alone. */
function plainTiles(count: number): TilesHeader {
  const units = Array.from({ length: count }, (_, i) => i);
  return { units, labels: units.map(String), values: [], flags: [], aria: [] };
}

/** The frame with everything a drawing needs, also when Python has no picture yet or names no tiles. */
export function completeFrame(frame: Frame<GridHeader>): Frame<GridHeader> {
  const { header, arrays } = frame;
  const layout = header.layout ?? "maps";
  const rows = arrays.rows;
  const count = rows ? (rows.shape[layout === "strips" ? 1 : 0] as number) : (arrays.maps?.shape[0] ?? EXPECTED);
  const blank = { ...plainTiles(EXPECTED), labels: [] };
  const defaults = {
    layout,
    tiles: rows || arrays.maps ? plainTiles(count) : blank,
    scale: { mode: "layer" as const, lo: 0, hi: 1, signed: false, unit: "", per_tile: null },
    page: null,
    selected_tile: null,
    grid_title: "",
  };
  return { ...frame, header: { ...defaults, ...header } };
}
