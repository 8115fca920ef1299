/** What the runtimes have in common only under different names. */
import process from "node:process";

interface Host {
  gc?: () => void;
  Bun?: { gc(sync: boolean): void };
}

const host = globalThis as Host;

/** Collects all garbage, now. */
export function collect(): void {
  // What a first collection finalises, a second one frees.
  for (let i = 0; i < 2; i++) {
    if (host.Bun !== undefined) host.Bun.gc(true);
    else if (host.gc !== undefined) host.gc();
    else throw new Error("The runtime was started without --expose-gc");
  }
}

/** Bytes of the heap in use after a collection. */
export function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
