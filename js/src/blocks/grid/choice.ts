/** Which unit is selected: Python's word, or for a moment the user's, so that a click shows before it is answered. */

/** If Python still says otherwise after this time, Python is right. */
const OPTIMISM_MS = 3000;

/** `expired` is called when Python has not confirmed a choice in time, and need not say anything more of itself. */
export function makeChoice(expired: () => void) {
  let told: number | null = null;
  let chosen: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = (): void => {
    clearTimeout(timer);
    chosen = null;
  };
  return {
    /** Whether the user chose something that Python has not answered yet. */
    pending: () => chosen !== null,
    unit: () => chosen ?? told,
    choose(unit: number): void {
      if (chosen === null && unit === told) return;
      forget();
      chosen = unit;
      timer = setTimeout(() => {
        forget();
        expired();
      }, OPTIMISM_MS);
    },
    /** Takes what Python says. */
    settle(selected: number | null): void {
      told = selected;
      if (selected === chosen) forget();
    },
    forget,
  };
}
