const WHEN_DUE = "idle resources are evicted when due";

/**
 * Options of generic-pool, tarn, pg-pool and Knex: ours that does the same, or
 * why there is none. Those that only add `Millis` to one of ours are not here.
 */
const FOREIGN: Record<string, string> = {
  allowExitOnIdle: "idle resources keep no process alive",
  connectionTimeoutMillis: "acquireTimeout",
  createRetryIntervalMillis: "createRetry",
  evictionRunIntervalMillis: WHEN_DUE,
  fifo: "the newest idle resource is taken first",
  maxLifetimeSeconds: "maxLifetime",
  maxWaitingClients: "maxPending",
  numTestsPerEvictionRun: WHEN_DUE,
  poolSize: "max",
  propagateCreateError: "createRetry",
  priorityRange: "acquires are served in order of arrival",
  reapIntervalMillis: WHEN_DUE,
  softIdleTimeoutMillis: "idleTimeout",
  testOnBorrow: "validate",
};

/** What to say to whoever passes an option that is not known. */
export function advice(name: string, known: readonly string[]): string {
  const ours = name.replace(/Millis$/, "");
  const foreign = known.includes(ours)
    ? ours
    : Object.hasOwn(FOREIGN, name) && FOREIGN[name]!;
  if (!foreign) return `the nearest is '${nearest(name, known)}'`;
  return known.includes(foreign) ? `use '${foreign}'` : foreign;
}

function nearest(name: string, known: readonly string[]): string {
  const far = (other: string) =>
    distance(name.toLowerCase(), other.toLowerCase());
  return known.reduce((best, other) => far(other) < far(best) ? other : best);
}

/** How many letters are to be put in, left out or replaced (Levenshtein). */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + Number(a[i - 1] !== b[j - 1]);
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, replaced);
    }
    above = row;
  }
  return above[b.length]!;
}
