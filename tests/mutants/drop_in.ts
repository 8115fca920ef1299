import type { Mutant } from "./mutant.ts";

const HELD = "src/drop_in/held.ts";
const PATIENCE = "src/drop_in/patience.ts";
const PG = "src/pg/pool.ts";
const TARN = "src/tarn/pool.ts";
const GENERIC = "src/generic_pool/pool.ts";
const SEQUELIZE = "src/sequelize_pool/pool.ts";

export const DROP_INS: readonly Mutant[] = [
  {
    name: "drop_in_equal_resources",
    about: "of equal resources one lease is forgotten, and its place lost",
    file: HELD,
    from: `else leases.add(lease);`,
    to: ``,
  },
  {
    name: "drop_in_patience_at_the_tail",
    about: "who waited for a first create that failed goes behind newcomers",
    file: PATIENCE,
    from: `priority: 3`,
    to: `priority: 0`,
  },
  {
    name: "drop_in_patience_for_ever",
    about: "each failed create begins the whole timeout again",
    file: PATIENCE,
    from: `{ ...options, timeout, priority`,
    to: `{ ...options, priority`,
  },
  {
    name: "tarn_aborted_lease_lost",
    about: "an acquire that is aborted as its resource comes keeps it",
    file: TARN,
    from: `if (isFit) lease.release();`,
    to: `if (isFit) void 0;`,
  },
  {
    name: "tarn_end_unseen",
    about: "a pool that is destroyed does not say so to a class over it",
    file: TARN,
    from: `    this.destroyed = true;`,
    to: ``,
  },
  {
    name: "tarn_minimum_evicted",
    about: "the minimum is not kept",
    file: TARN,
    from: ` && surplus-- > 0`,
    to: ``,
  },
  {
    name: "tarn_used_evicted",
    about: "what is used for long is destroyed at its release, as if idle",
    file: TARN,
    from: ` && !this.#held.has(resource)`,
    to: ``,
  },
  {
    name: "tarn_validated_rejected",
    about: "a destroy rejects those whose resource is validated already",
    file: TARN,
    from: `await Promise.allSettled(this.#checks);`,
    to: ``,
  },
  {
    name: "tarn_refusals_spin",
    about: "new resources that are refused follow each other without pause",
    file: TARN,
    from: `delay *= 2`,
    to: `delay = 1`,
  },
  {
    name: "tarn_late_create_told_twice",
    about: "a create that fails after its time is told of again",
    file: TARN,
    from: `if (!isLate()) failed(error);`,
    to: `failed(error);`,
  },
  {
    name: "generic_pool_use_releases_others",
    about: "a use ends the lease of whoever has its resource now",
    file: GENERIC,
    from: `      this.#held.drop(resource, lease);
      lease.release();`,
    to: `      this.#held.take(resource)?.release();`,
  },
  {
    name: "generic_pool_stale_release_unhandled",
    about: "a second release that nobody looks at is an unhandled rejection",
    file: GENERIC,
    from: `given.then(undefined, () => {});`,
    to: ``,
  },
  {
    name: "generic_pool_clear_takes_used",
    about: "a clear destroys what is used as well",
    file: GENERIC,
    from: `evict((resource) => !this.#held.has(resource))`,
    to: `clear()`,
  },
  {
    name: "sequelize_pool_destroy_unawaited",
    about: "a destroy does not wait for its end",
    file: SEQUELIZE,
    from: `await value.end();`,
    to: `void value.end();`,
  },
  {
    name: "sequelize_pool_max_uses_0",
    about: "maxUses 0 is once instead of without end",
    file: SEQUELIZE,
    from: `maxUses || Infinity`,
    to: `(maxUses ?? Infinity) || 1`,
  },
  {
    name: "pg_native_ended_while_it_connects",
    about: "a native client that is given up ends before it has connected",
    file: "src/pg/connection.ts",
    from: `if (this.#inside.isConnected?.() === false) return;`,
    to: ``,
  },
  {
    name: "pg_native_given_up_kept",
    about: "a native client that connects too late is greeted as a new one",
    file: PG,
    from: `      signal.throwIfAborted();`,
    to: ``,
  },
  {
    name: "pg_stack_of_socket",
    about: "the stack of a query that fails ends in a socket",
    file: PG,
    from: `  Error.captureStackTrace(error);`,
    to: ``,
  },
  {
    name: "pg_reason_retraced",
    about: "the stack of a reason is no longer that of who aborted",
    file: PG,
    from: `if (error !== signal?.reason) retrace(error);`,
    to: `retrace(error);`,
  },
  {
    name: "pg_frozen_error_retraced",
    about: "a frozen error is answered by another",
    file: PG,
    from:
      `if (!(error instanceof Error) || !Object.isExtensible(error)) return;`,
    to: `if (!(error instanceof Error)) return;`,
  },
  {
    name: "pg_null_idle_timeout",
    about: "an idleTimeoutMillis of null is the default",
    file: "src/pg/pool_options.ts",
    from: `Number(idleTimeoutMillis)`,
    to: `Number(idleTimeoutMillis ?? 10_000)`,
  },
  {
    name: "pg_end_told_twice",
    about: "a client that ends with its query is told of as an idle one",
    file: PG,
    from: `connection.isUnheard = !error;`,
    to: `connection.isUnheard = true;`,
  },
  {
    name: "pg_refused_once_unheard",
    about: "a client that failed a query is not told of when it fails idle",
    file: PG,
    from: `    connection.isUnheard = true;`,
    to: ``,
  },
  {
    name: "pg_max_infinity",
    about: "a max of Infinity is refused",
    file: PG,
    from: `Math.min(settled.max, Number.MAX_SAFE_INTEGER)`,
    to: `settled.max`,
  },
  {
    name: "tarn_max_infinity",
    about: "a max of Infinity is refused",
    file: TARN,
    from: `Math.min(settings.max, Number.MAX_SAFE_INTEGER)`,
    to: `settings.max`,
  },
  {
    name: "sequelize_pool_max_infinity",
    about: "a max of Infinity is refused",
    file: SEQUELIZE,
    from: `Math.min(max, Number.MAX_SAFE_INTEGER)`,
    to: `max`,
  },
  {
    name: "pg_null_called_back",
    about: "a callback that is null is called",
    file: PG,
    from: `if (!callback) {`,
    to: `if (callback === undefined) {`,
  },
  {
    name: "pg_null_options_refused",
    about: "a connect with null in the place of a callback is refused",
    file: PG,
    from: `[given ?? undefined, undefined]`,
    to: `[given, undefined]`,
  },
];
