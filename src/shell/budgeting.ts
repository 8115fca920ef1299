import type { Line } from "../core/line.ts";
import type { Budget, BudgetMember, BudgetSeat } from "../permit.ts";
import type { Context, Task } from "./context.ts";
import type { Parts } from "./parts.ts";

/** The permits of one line. */
class Permits<T> implements BudgetMember {
  readonly #line: Line<T>;
  readonly #wake: () => void;
  readonly #seat: BudgetSeat;
  /** How many it holds, and how many of those are to be given back. */
  #held = 0;
  #owed = 0;
  /** How many of the line have yielded, as far as it was told of. */
  #yielded = 0;
  #isSyncing = false;

  /** `wake` is called when something has changed from elsewhere. */
  constructor(line: Line<T>, budget: Budget, wake: () => void) {
    this.#line = line;
    this.#wake = wake;
    this.#seat = budget.join(this);
    line.permit(0);
  }

  /** Tells the budget what has changed, which may grant something at once. */
  sync(): void {
    const line = this.#line;
    const yielded = line.yielded - this.#yielded;
    if (yielded > 0) {
      this.#yielded += yielded;
      this.#owe();
      this.#seat.leaving(yielded);
    }
    const { lacking } = line;
    const unused = this.#held - line.occupied;
    const back = lacking > 0 ? Math.min(unused, this.#owed) : unused;
    if (back > 0) {
      this.#held -= back;
      this.#owed = Math.max(0, this.#owed - back);
      this.#permit();
      this.#seat.giveBack(back);
    }
    this.#isSyncing = true;
    this.#seat.want(line.lacking, line.oldestWait);
    this.#isSyncing = false;
  }

  grant(permits: number): void {
    this.#held += permits;
    this.#permit();
    if (!this.#isSyncing) this.#wake();
  }

  letGo(): boolean {
    if (!this.#line.letGo()) return false;
    this.#owe();
    this.#wake();
    return true;
  }

  yieldTo(time: number): void {
    this.#line.yieldTo(time);
  }

  #owe(): void {
    this.#owed++;
    this.#permit();
  }

  #permit(): void {
    this.#line.permit(this.#held - this.#owed);
  }
}

/** Asks a budget for what a pool would create. */
export class Budgeting<T> implements Task {
  readonly #parts: Parts<T>;
  readonly #permits: Permits<T>[];

  constructor(parts: Parts<T>, context: Context, budget: Budget) {
    this.#parts = parts;
    const wake = () => context.do(this);
    this.#permits = parts.partition.lines.map((line) =>
      new Permits(line, budget, wake)
    );
  }

  sync(): void {
    for (const permits of this.#permits) permits.sync();
  }

  inContext(): void {
    this.#parts.play();
  }
}
