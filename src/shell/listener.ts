/** Listens no more; nobody minds if a signal of someone's own making throws. */
export function removeListener(
  signal: AbortSignal,
  listener: (event: Event) => void,
): void {
  try {
    signal.removeEventListener("abort", listener);
  } catch {
    // What the listener was for has ended all the same.
  }
}
