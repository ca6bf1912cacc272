/** What blocks send to the page. Made by `python -m nnwidgets.blocks.typescript` from nnwidgets/blocks; not to be edited. */

import type { NdArray } from "../kernel/wire.ts";
import type { BlockData } from "./block.ts";

/** One horizontal bar for each value, with its name and its number; a click picks one. */
export interface BarsBlock extends BlockData {
  kind: "bars";
  values: NdArray;
  names: string[];
  unit: string;
  low: number;
  high: number;
  spread?: NdArray;
  reference?: number;
  reference_name: string;
  format: "number" | "count" | "share" | "loss" | "percent" | "signed";
  empty: string;
  places: NdArray;
}

/** Ends of a colour scale. */
export interface ColorScale {
  lo: number;
  hi: number;
  signed: boolean;
  unit: string;
  per_tile?: [number, number][];
  selected?: [number, number];
}

/** A column as the page gets it: its texts, or which row of `numbers` it is and how those are written. */
export interface Column {
  name: string;
  format: "number" | "count" | "share" | "loss" | "percent" | "signed" | "text";
  number?: number;
  texts?: string[];
}

/** What the page gets of a column. Names are a JSON list in one text, as they may be one for each point. */
export interface ColumnHead {
  name: string;
  names: string;
  low: number;
  high: number;
  codes?: number;
  shares?: number;
}

/** Units of a layer, each with its number, its figures and its flag; a click selects one. */
export interface GridBlock extends BlockData {
  kind: "grid";
  values: NdArray;
  layout: "maps" | "strips" | "sequence";
  labels?: string[];
  figures?: string[];
  flags?: string[];
  described?: string[];
  selected?: number;
  noun: string;
  detail_title: string;
  facts: string;
  hint: string;
  picture?: NdArray;
  picture_title: string;
  prediction: [string, number][];
  row_titles: string[];
  dead?: NdArray;
  column: boolean;
  units?: number[];
  scale?: ColorScale;
  page?: Page;
  size?: [number, number];
  detail?: NdArray;
}

/** A picture in grey with orange over it where values are positive and blue where they are negative. */
export interface HeatBlock extends BlockData {
  kind: "heat";
  values: NdArray;
  unit: string;
  low: number;
  high: number;
  picture?: NdArray;
  decimals?: number;
  squares?: Squares;
  panels: PanelWords[];
  computed?: NdArray;
  columns: [string, string, string];
  options: string[];
  clickable: boolean;
  cells?: NdArray;
  classes?: NdArray;
}

/** Counts of values by bin; a click picks a bin. Values that are not finite are counted, not drawn. */
export interface HistogramBlock extends BlockData {
  kind: "histogram";
  unit: string;
  names: string[];
  marks: Mark[];
  log: boolean;
  counts: NdArray;
  edges: NdArray;
  empty: string;
  missing: number;
  outside: number;
}

/** A value that a line points out, and what it is. */
export interface Mark {
  value: number;
  text: string;
}

/** A labelled matrix: numbers in the cells where they fit, else colours, with the numbers on hover. */
export interface MatrixBlock extends BlockData {
  kind: "matrix";
  values: NdArray;
  rows: string[];
  columns: string[];
  unit: string;
  shares?: "row" | "column";
  row_title: string;
  column_title: string;
  diagonal: boolean;
  format: "number" | "count" | "share" | "loss" | "percent" | "signed";
  empty: string;
  low: number;
  high: number;
}

/** What the pager shows: `index` of `count` pages, and in words which tiles these are. */
export interface Page {
  index: number;
  count: number;
  text: string;
}

/** What the page gets of a panel beside its cells. */
export interface PanelWords {
  title: string;
  note: string;
  label: string;
  unit: string;
  low: number;
  high: number;
  shows_classes: boolean;
  legend: [number, string, number][];
  decimals?: number;
}

/** Samples as points. A click on one, and a lasso round some, select samples for all views. */
export interface PointsBlock extends BlockData {
  kind: "points";
  positions: NdArray;
  samples: NdArray;
  labels?: NdArray;
  predicted?: NdArray;
  confidence?: NdArray;
  loss?: NdArray;
  class_names: string[];
  color: string;
  size: string;
  selected?: NdArray;
  sample?: number;
  near?: NdArray;
  trails?: NdArray;
  trail_rows?: NdArray;
  unit: number;
  columns: ColumnHead[];
  codes?: NdArray;
  shares?: NdArray;
  trails_unit: number;
}

/** Histograms with common bins behind each other: the first row at the back, the last in front. */
export interface RidgesBlock extends BlockData {
  kind: "ridges";
  counts: NdArray;
  edges: NdArray;
  names: string[];
  unit: string;
  row_title: string;
  highlight?: number;
  together: boolean;
  missing: number;
  empty: string;
}

/** Where squares lie on a picture. */
export interface Squares {
  rows: number[];
  cols: number[];
  size: [number, number];
}

/** Samples as small pictures, or as cards of words where they have none; a click picks one. */
export interface StripBlock extends BlockData {
  kind: "strip";
  pictures?: NdArray;
  labels: string[];
  samples: NdArray;
  predicted: string[];
  values: string[];
  value_name: string;
  wrap: boolean;
  selection: boolean;
  empty: string;
  tab: string;
}

/** A table that the page sorts by a click on a column's name; a click on a row picks it. */
export interface TableBlock extends BlockData {
  kind: "table";
  columns: Column[];
  samples?: NdArray;
  sort?: string;
  descending: boolean;
  empty: string;
  numbers: NdArray;
  rows: NdArray;
  total: number;
}

/** Paragraphs of plain text; markup is shown as written. */
export interface TextBlock extends BlockData {
  kind: "text";
  paragraphs: string[];
  lead: string;
}

/** What one check found. */
export interface Verdict {
  level: "wrong" | "look" | "not checked" | "ok";
  text: string;
  figures: string;
  reason: string;
  repair: string;
  since: string;
  place: boolean;
}

/** Findings of checks, worst first, passed checks folded into one line. Each opens to its reason and repair. */
export interface VerdictsBlock extends BlockData {
  kind: "verdicts";
  findings: Verdict[];
  empty: string;
  places: number[];
  summary: string;
}
