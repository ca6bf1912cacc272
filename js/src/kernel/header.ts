/** The part of a frame's header that all views share, as Python sends it (wire names are snake_case). */

export type StateKind =
  "live" | "waiting" | "computing" | "failed" | "paused" | "approximate" | "empty" | "refused" | "changed" | "stale";

export interface StateHeader {
  kind: StateKind;
  text: string;
  detail?: string;
  error?: string;
  progress?: number | null;
  actions?: string[];
}

export type OptionValue = string | number | boolean;

export interface OptionHeader {
  name: string;
  label: string;
  kind: "dropdown" | "toggle" | "slider";
  value: OptionValue;
  choices?: [OptionValue, string][];
  min?: number;
  max?: number;
  step?: number;
}

export interface SelectionHeader {
  layer?: string | null;
  unit?: number | null;
  sample?: number | null;
  target?: number | null;
}

/** The sample on show, of how many, and whether labels can tell that a prediction is wrong. */
export interface SamplesHeader {
  index: number;
  count: number;
  labelled: boolean;
}

/** Where the view stands in its history: the result shown, the positions kept, and words for the one shown. */
export interface KeptHeader {
  index: number;
  positions: number[];
  text: string;
}

/** What changed of one block since the last picture; its arrays are named `<key>/<field>`. */
export interface BlockDelta {
  key: string;
  kind: string;
  /** Blocks of one row stand side by side. */
  row: number;
  /** Forget what was known of the block: everything is here. */
  whole?: boolean;
  fields?: Record<string, unknown>;
  gone?: string[];
}

export interface CommonHeader {
  title: string;
  title_is_code?: boolean;
  subtitle?: string;
  caption?: [string, number | boolean][];
  step?: number | null;
  age_s?: number;
  training?: boolean;
  /** Where the training is; the picture is of `step`. */
  training_step?: number | null;
  stale_after_s?: number | null;
  state?: StateHeader;
  options?: OptionHeader[];
  standalone?: boolean;
  /** Whether an output beside the widget holds its picture. */
  own_picture?: boolean;
  selection?: SelectionHeader;
  /** Null where the view does not follow the sample. */
  samples?: SamplesHeader | null;
  kept?: KeptHeader | null;
  /** In a picture: all blocks in their order; a block that is not among them is gone. */
  blocks?: BlockDelta[];
}
