/** Something took longer than its option lets it; `cause` says why. */
export class TimeoutError extends Error {
  /** Always `"TimeoutError"`. */
  override readonly name = "TimeoutError";
}
