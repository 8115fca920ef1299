/** Milliseconds between two looks at the condition. */
const INTERVAL = 5;

/**
 * Waits in real time for a condition. Throws, with its source text, when it
 * does not hold within `deadline` milliseconds.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { deadline = 5_000 }: { deadline?: number } = {},
): Promise<void> {
  const end = performance.now() + deadline;
  while (!await condition()) {
    if (performance.now() >= end) {
      throw new Error(`Not so within ${deadline} ms: ${condition}`);
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
