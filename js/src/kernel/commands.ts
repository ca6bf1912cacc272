/** What the page asks of Python, in words: while it waits for an answer, and where it is refused. */

const SUBJECTS: Readonly<Record<string, string>> = {
  layer: "Layer",
  unit: "Unit",
  sample: "Sample",
  target: "Target",
  option: "Option",
  step_layer: "Layer",
  step_sample: "Sample",
  next_wrong: "Sample",
};

const firstOf = (value: unknown): [string, unknown] | undefined =>
  typeof value === "object" && value !== null ? Object.entries(value)[0] : undefined;

/** "layer conv1", or nothing where the value says nothing to a reader. */
export function describe(value: unknown): string {
  const [name, first] = firstOf(value) ?? [];
  return typeof first === "string" || typeof first === "number" ? `${name} ${first}` : "";
}

/** What did not happen: "Layer not changed." */
export function refusedWords(name: string, value: unknown): string {
  const subject = SUBJECTS[name === "select" ? (firstOf(value)?.[0] ?? "") : name];
  return subject ? `${subject} not changed.` : "Not done.";
}
