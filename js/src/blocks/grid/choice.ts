/** Which unit is selected: Python's word, or for a moment the user's, so that a click shows before it is answered. */

/** If Python still says otherwise after this time, Python is right. */
const OPTIMISM_MS = 3000;

export interface Choice {
  /** Whether the user chose something that Python has not answered yet. */
  pending(): boolean;
  unit(): number | null;
  choose(unit: number): void;
  /** What Python says. */
  settle(selected: number | null): void;
  forget(): void;
}

/** `expired` is called when Python has not confirmed a choice in time, and need not say anything more of itself. */
export function makeChoice(expired: () => void): Choice {
  let told: number | null = null;
  let chosen: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = (): void => {
    clearTimeout(timer);
    chosen = null;
  };
  return {
    pending: () => chosen !== null,
    unit: () => chosen ?? told,
    choose(unit) {
      if (chosen === null && unit === told) return;
      forget();
      chosen = unit;
      timer = setTimeout(() => {
        forget();
        expired();
      }, OPTIMISM_MS);
    },
    settle(selected) {
      told = selected;
      if (selected === chosen) forget();
    },
    forget,
  };
}
