/** The line of a sparkline on a log scale. Pure: numbers in, an SVG path out. */

/**
 * An SVG path through `values`, equally spaced over `width`, largest at the top. The scale is logarithmic; values that
 * have no logarithm (zero, negative) sit on the floor and non-finite ones leave a gap, as a break is what they are.
 */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const positive = values.filter((v): v is number => v !== null && Number.isFinite(v) && v > 0).map(Math.log);
  if (positive.length === 0 || values.length < 2) return "";
  const low = Math.min(...positive);
  const span = Math.max(...positive) - low;
  let path = "";
  let pen = "M";
  values.forEach((value, index) => {
    if (value === null || !Number.isFinite(value)) {
      pen = "M";
      return;
    }
    const level = value > 0 ? Math.log(value) - low : 0;
    const x = 0.5 + (index * (width - 1)) / (values.length - 1);
    const y = span > 0 ? 1 + (1 - level / span) * (height - 2) : height / 2;
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  });
  return path;
}

/** Where the bar of the cost meter ends and where its budget mark stands, both as shares of the meter's width. */
export function meter(share: number, budget: number): { bar: number; mark: number } {
  const full = Math.max(budget, share, 1e-9);
  return { bar: Math.max(0, share) / full, mark: budget / full };
}
