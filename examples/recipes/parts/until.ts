import assert from "node:assert/strict";

/** Waits for what must be so within 20 s, on a busy machine too. */
export async function until(
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!await condition()) {
    assert.ok(performance.now() < deadline, `not so in time: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
