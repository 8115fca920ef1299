/**
 * One maximum for pools of several processes, on machines wherever they are.
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
  type RedisClient,
  redisLedger,
  type RedisLedgerOptions,
  type RedisSubscriber,
} from "./redis_ledger.ts";
