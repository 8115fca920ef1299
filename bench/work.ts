import { assert } from "./assertion.ts";
import type { Server, Subject } from "./subject.ts";

/** `n` acquires and releases, one after the other; returns how many it had. */
export async function sequence(subject: Subject, n: number): Promise<number> {
  if (subject.sequence !== undefined) return await subject.sequence(n);
  return await inTurn(subject, n, subject.acquire);
}

/** The same with an acquire of another kind. */
export async function inTurn(
  subject: Subject,
  n: number,
  acquire: () => Promise<unknown>,
): Promise<number> {
  let served = 0;
  for (let i = 0; i < n; i++) {
    const lease = await acquire();
    served += subject.resource(lease).weight;
    subject.release(lease);
  }
  return served;
}

/** `n` tasks at once, each of which acquires and releases; likewise. */
export async function crowd(subject: Subject, n: number): Promise<number> {
  if (subject.crowd !== undefined) return await subject.crowd(n);
  const tasks = new Array<Promise<number>>(n);
  for (let i = 0; i < n; i++) tasks[i] = task(subject);
  let served = 0;
  for (const weight of await Promise.all(tasks)) served += weight;
  return served;
}

async function task(subject: Subject): Promise<number> {
  const lease = await subject.acquire();
  const { weight } = subject.resource(lease);
  subject.release(lease);
  return weight;
}

/**
 * Fails unless every one of `n` tasks gets a resource to itself, held over
 * an await, and no more than `max` are alive at any time.
 */
export async function check(
  subject: Subject,
  server: Server,
  n: number,
  max: number,
): Promise<void> {
  let served = 0;
  await Promise.all(Array.from({ length: n }, async () => {
    const lease = await subject.acquire();
    const resource = subject.resource(lease);
    assert(!resource.held, "a resource has two holders");
    resource.held = true;
    await Promise.resolve();
    resource.held = false;
    served++;
    subject.release(lease);
  }));
  assert(served === n, `${served} of ${n} tasks were served`);
  assert(server.peak <= max, `${server.peak} resources where ${max} may be`);
}
