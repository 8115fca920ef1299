import type { Pool } from "../pool.ts";

/**
 * The pool of `@lease/pool` beneath: its counts, and what happens in it, for
 * `inspect` and `otelObserver`, and with `observe` for whoever asks.
 */
export type Leases<T> = Pick<Pool<T>, "name" | "min" | "stats" | "observe">;
