/** Keys: walking a grid, and keeping JupyterLab's own shortcuts out while the view has the focus. */

type Listen = (target: EventTarget, type: string, handler: (event: Event) => void) => void;

/** Where a walking key leads in a grid of `count` cells; null when it is no walking key or leads nowhere. */
export function walk(key: string, at: number, count: number, columns: number): number | null {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  if (key === "Home") return count > 0 ? 0 : null;
  if (key === "End") return count > 0 ? count - 1 : null;
  const step = steps[key];
  if (step === undefined) return null;
  const to = at + step;
  return to >= 0 && to < count ? to : null;
}

/** Whether what has the focus makes something of letters itself: a text field, or a list that goes to an entry. */
const takesLetters = (target: EventTarget | null): boolean =>
  target instanceof HTMLSelectElement ||
  (target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox");

/** Marks a container so that JupyterLab leaves its keys alone, and acts on those that `handle` takes. */
export function bindKeys(target: HTMLElement, listen: Listen, handle: (event: KeyboardEvent) => boolean): void {
  target.dataset.lmSuppressShortcuts = "true";
  listen(target, "keydown", (event) => {
    const pressed = event as KeyboardEvent;
    if (pressed.ctrlKey || pressed.metaKey) return;
    // Every plain key stops here: a letter pressed over a view must not cut the notebook's cell.
    if (pressed.key !== "Tab") pressed.stopPropagation();
    if (!takesLetters(pressed.target) && handle(pressed)) pressed.preventDefault();
  });
}
