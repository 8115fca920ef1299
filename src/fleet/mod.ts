/**
 * One maximum for pools of several processes, on machines wherever they are.
 *
 * ```ts ignore
 * import pg from "pg";
 * import { Pool } from "@lease/pool";
 * import { FleetBudget, postgresLedger } from "@lease/pool/fleet";
 *
 * const ledger = postgresLedger(async () => {
 *   const client = new pg.Client({
 *     connectionString: url,
 *     connectionTimeoutMillis: 3_000,
 *     query_timeout: 3_000,
 *   });
 *   await client.connect();
 *   return client;
 * });
 * await using budget = new FleetBudget({ ledger, max: 90, ttl: 10_000 });
 * await using pool = new Pool({
 *   create: async ({ signal, lost }) => {
 *     // The server ends what a process holds that stands still.
 *     const options = "-c idle_session_timeout=5s";
 *     const client = new pg.Client({ connectionString: url, options });
 *     client.on("error", lost).on("end", lost);
 *     signal.addEventListener("abort", () => client.end());
 *     await client.connect();
 *     return client;
 *   },
 *   destroy: (client) => client.end(),
 *   idleTimeout: 2_500,
 *   max: 30, // of one process
 *   budget,
 * });
 * ```
 *
 * # How it works
 *
 * ```text
 *  process 1             process 2             process 3
 *  pools                 pools                 pools
 *    │ want, give back     │                     │
 *  FleetBudget           FleetBudget           FleetBudget     each with its own clock
 *    │ read, swap          │                     │
 *    └──────────────┬──────┴─────────────────────┘
 *                 Ledger: one value with a version, in Deno KV, Redis, PostgreSQL
 *                   max, and of each member: lease, beat, floor, block, wants
 * ```
 *
 * Each member has an account in the book that the ledger holds. It writes the next
 * book with a compare-and-swap: a pure function makes it from the one it has read,
 * and only when the swap is confirmed it acts. It takes its fair share of what is
 * left, by what all want, as a block; it renews that three times in each `ttl`, and
 * gives back what others are due. Creates within the block ask the ledger nothing.
 *
 * # What it promises
 *
 * A clock is within the bound if its pace is off by 2 % at most. What it shows does
 * not matter, so steps of the time of day do no harm. A suspended machine's clock
 * may stand still, and is not within the bound then.
 *
 * - The blocks and floors of all members are `max` together at most, whatever
 *   fails, and in whatever order calls are heard or lost, as long as the ledger
 *   keeps what it has confirmed.
 * - While clocks are within the bound no member creates on a permit that another
 *   may have: a lease runs from before its write was sent, and others wait for
 *   1.041 × `ttl` from when they have read it, which covers the bound.
 * - A process that has died loses its block 1.041 × `ttl` after its last write was
 *   read, and others have it a third of a `ttl` later at most.
 * - One that is cut off for `ttl` makes nothing more beyond its floor, not even in
 *   the place of what is lost. What is idle leaves at once, what is used at its
 *   release, but for `min` of its pools, which should be its floor at most.
 * - A floor is part of `max`, and nobody else's until it has been unheard of for
 *   its own `ttl`, when its member uses it no more. Where floors take all of `max`,
 *   the next member has floor 0, and nothing until there is some left.
 * - A close gives all back at once.
 *
 * # What it does not promise
 *
 * - What a member that stands still, or is cut off, still *holds* when its lease
 *   has ended is above `max`: its block at most, for as long as holders keep it, or
 *   until the server ends the sessions: with `idle_session_timeout` of half a `ttl`
 *   before others have its permits, if they are idle. (The last renewal may be a
 *   third of a `ttl` old when it stops.) A create that was under way counts as held.
 * - One whose clock is beyond the bound, as on a suspended machine, may use its
 *   block, and no more, until it reads the book again.
 * - An engine that forgets what it has confirmed, such as a replica that lags and
 *   takes over, gives away twice what was written in between, until its members
 *   have read the book again and those who have too much come down.
 * - Members come in no order of arrival: who wants least has it, the others share
 *   the rest equally.
 *
 * # How many members
 *
 * Each write carries the whole book, so one ledger is for some hundreds of members.
 * Beyond 100 leases are longer by the root of how many times more there are, who
 * reads in vain reads later, and who is beaten to a write waits the longer the more
 * there are: that is what keeps the load from growing as the members do. Simulated
 * (`deno task simulate:fleet`: the real correspondence on virtual time, messages
 * 0.25 to 1 ms on their way, `ttl` 10 s, two permits for each member, clocks off by
 * up to 2 %), a second, with too little for all:
 *
 * ```text
 *  members   reads   writes   of them lost     book     traffic
 *      100     109       32              2     6 kB      0.9 MB
 *    1 000     422      106             22    65 kB       34 MB
 *   10 000   1 403      413            138   660 kB    1 199 MB
 * ```
 *
 * Each write is also told to all members. When half of them stop and the others
 * begin to want four times what there is, 99 % is in use again, with Jain's index
 * 0.98 or more, after 5.5 s, 22 s and 105 s (a member parts with what is idle after
 * a third of its lease at the soonest); from less to more, where nobody has to part
 * with anything, after 1 s, 2 s and 20 s. In steady state the index is 0.989, 0.989
 * and 0.987, by whole permits and floors. With 1 % of the members dying in each
 * second without a word, and as many joining, 93 %, 91 % and 90 % are in use, the
 * rest waits for the dead; the index is 0.973, 0.960 and 0.924, the least 0.952,
 * 0.950 and 0.900. The rules above were checked at each write and each use.
 *
 * Of 10 000 members that come within 10 s, 5 187 have an account then, at 7 070 reads
 * and 6 358 writes a second, and 9 714 after 30 s more. All that is more than an engine
 * bears; so many belong to several ledgers, each with its part of the maximum.
 *
 * Four processes with 20 connections to one PostgreSQL had 1.05 to 1.8 times the
 * queries a second of PgBouncer in transaction mode, where a create cost 0.03
 * operations of the engine at most (`deno task bench:fleet`, on two cores that did
 * other work as well).
 *
 * @module
 */

export type { Budget, BudgetMember, BudgetSeat } from "../permit.ts";
export type { Clock } from "../clock.ts";
export {
  FleetBudget,
  type FleetBudgetOptions,
  type FleetObserver,
  type FleetStats,
} from "./fleet_budget.ts";
export type { Ledger, Versioned } from "./ledger.ts";
export {
  denoKvLedger,
  type DenoKvLedgerOptions,
  type KvStore,
  type KvWrite,
} from "./deno_kv_ledger.ts";
export {
  type PostgresClient,
  postgresLedger,
  type PostgresLedgerOptions,
  type PostgresResult,
} from "./postgres_ledger.ts";
export {
  type BunRedisSubscriber,
  type RedisClient,
  redisLedger,
  type RedisLedgerOptions,
  type RedisSubscriber,
} from "./redis_ledger.ts";
