/** The frame of the pool's own method, which Bun may leave out. */
const METHOD = /^\s*at (?:\S+\.)?(?:acquire|tryAcquire|use) /;

/**
 * The stack from the caller of the pool on, where `front` is what the pool's
 * method has called. In words at once: the frames themselves may lead to
 * whatever the caller holds.
 */
export function traceOf(front: unknown): string | undefined {
  const trace: { stack?: unknown } = {};
  try {
    capturing.captureStackTrace?.(trace, front);
    const { stack } = trace;
    if (typeof stack !== "string") return undefined;
    const frames = stack.split("\n").slice(1);
    if (METHOD.test(frames[0] ?? "")) frames.shift();
    return frames.join("\n") || undefined;
  } catch {
    // `Error.prepareStackTrace` is the user's.
    return undefined;
  }
}

/** The first frame of a trace, as in `handle (file:///app.ts:12:9)`. */
export function placeOf(trace: string): string {
  return trace.split("\n", 1)[0]!.replace(/^\s*(?:at )?/, "");
}

/** Not in every engine yet. */
const capturing = Error as {
  captureStackTrace?: (trace: object, hidden: unknown) => void;
};
