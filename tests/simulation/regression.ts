/** A straight line through points, by least squares. */
export interface Line {
  slope: number;
  /** The standard error of the slope. */
  error: number;
}

/** The line through `(x[i], y[i])`; needs three points. */
export function regress(x: readonly number[], y: readonly number[]): Line {
  const n = x.length;
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / n;
  const [middleX, middleY] = [mean(x), mean(y)];
  let xx = 0;
  let xy = 0;
  for (let i = 0; i < n; i++) {
    xx += (x[i]! - middleX) ** 2;
    xy += (x[i]! - middleX) * (y[i]! - middleY);
  }
  const slope = xy / xx;
  let residual = 0;
  for (let i = 0; i < n; i++) {
    residual += (y[i]! - middleY - slope * (x[i]! - middleX)) ** 2;
  }
  return { slope, error: Math.sqrt(residual / (n - 2) / xx) };
}
