/** Fails the measurement: a figure for work that was not done is none. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new Error(message);
  }
}
