/**
 * One maximum for the pools of several threads: Web Workers, and workers of
 * Deno, Bun and Node, which share memory.
 *
 * ```ts ignore
 * // main.ts
 * import { SharedBudget } from "@lease/pool/threads";
 *
 * const budget = new SharedBudget({ max: 20 });
 * for (let n = 0; n < 4; n++) {
 *   const worker = new Worker(new URL("./worker.ts", import.meta.url), {
 *     type: "module",
 *   });
 *   const invitation = budget.invite();
 *   worker.postMessage(invitation, [invitation.port]);
 *   worker.onerror = () => budget.ended(invitation); // also after terminate()
 * }
 *
 * // worker.ts
 * import { Pool } from "@lease/pool";
 * import { SharedBudget } from "@lease/pool/threads";
 *
 * self.onmessage = ({ data: invitation }) => {
 *   const budget = new SharedBudget(invitation);
 *   const pool = new Pool({ create: connect, max: 20, budget });
 * };
 * ```
 *
 * ## How it works
 *
 * ```text
 *  thread a           thread b           thread c
 *  pools              pools              pools
 *  SharedBudget       SharedBudget       SharedBudget
 *     │ read, compute the next step, compare and swap, and only then act
 * ┌───▼──────────────────▼──────────────────▼──────────────────────────┐
 * │ rows    life 1, ticket 0   life 3, ticket 7   life 1, ticket 9     │
 * │ slots   [a, life 1]  [c, life 1]  [for b, life 3]  [b, life 1]     │
 * │                                    set aside: 7     void: b has    │
 * │                                    is before 9      another life   │
 * └────────────────────────────────────────────────────────────────────┘
 * ```
 *
 * A permit is a slot, a word of shared memory that says who holds it: row and
 * life of a thread. So there is no count that could be wrong. A thread that ends,
 * at whatever point, gets its row another life by one swap, which makes all its
 * words void: whoever wants one takes it. One that was taken for dead and comes
 * back can swap nothing by its old life: it takes a row anew, gets permits for
 * what its pools still hold before it creates anything, and until then what is
 * idle in it or released leaves. What is free carries the number of the act that
 * freed it, so that nobody swaps by what he saw before.
 *
 * A thread that finds nothing free draws a ticket. What comes free is set aside
 * for the oldest ticket by whichever thread sees it first; so one that is busy
 * keeps one permit waiting and nobody behind it. While one waits, a thread with
 * something idle promises it a permit, and parts with what has been idle longest
 * in it; where nothing is idle, the first release anywhere goes, unless who waits
 * there came before that thread heard of the other.
 *
 * A bell wakes: `Atomics.waitAsync`, once it was seen to settle, else a message
 * by way of the thread that has invited. A timer looks every tenth of `silence`,
 * should a bell be lost; it keeps the process alive only while somebody waits.
 *
 * ## What is promised, and what is not
 *
 * - Threads that have not ended never hold more than `max` permits together. A
 *   pool has no more resources than permits, but for the exceptions that a pool
 *   makes of its own `max`.
 * - None is lost, whenever a thread ends. Of its end the others know by its port,
 *   by `close()`, by `ended()`, or after `silence`.
 * - A thread that stands still for longer than `silence` and then goes on had more
 *   than its permits: at most what it held before. Choose `silence` above the
 *   longest that a thread computes in one go. The same holds for one that goes on
 *   after `ended()`, as in Deno a terminated thread that computes can.
 * - Threads are served in the order of their tickets, one permit for each ticket,
 *   while none is taken for dead; within a thread, who waits longest.
 * - What leaves for others is what is idle longest in one thread, not over all. Of
 *   two releases at one moment both may leave.
 * - A minimum makes no other thread part with anything, and may get what has come
 *   free a tenth of `silence` later.
 * - Pools without a budget, or with another, pay nothing for it.
 * - It is for one process: memory is not shared between processes.
 *
 * @module
 */

export type { Budget, BudgetMember, BudgetSeat } from "../permit.ts";
export type { Clock } from "../clock.ts";
export type { Port } from "./relay.ts";
export {
  type Invitation,
  SharedBudget,
  type SharedBudgetOptions,
} from "./shared_budget.ts";
