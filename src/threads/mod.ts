/**
 * One maximum for the pools of several threads.
 *
 * @module
 */

export type { Budget, BudgetMember, BudgetSeat } from "../permit.ts";
export type { Clock } from "../clock.ts";
export {
  type Invitation,
  SharedBudget,
  type SharedBudgetOptions,
} from "./shared_budget.ts";
