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
