import type { Line } from "../core/line.ts";
import type { Budget, BudgetMember, BudgetSeat } from "../permit.ts";
import type { Context, Task } from "./context.ts";
import type { Parts } from "./parts.ts";

/** The permits of one line. */
class Permits<T> implements BudgetMember {
  readonly #line: Line<T>;
  readonly #wake: () => void;
  readonly #failed: (error: unknown) => void;
  readonly #seat: BudgetSeat;
  /*
   * How many it holds, and how many of those are to be given back. Invariant: the
   * line is permitted the rest.
   */
  #held = 0;
  #owed = 0;
  /** How many of the line have yielded, as far as it was told of. */
  #yielded = 0;
  #isSyncing = false;

  /**
   * `wake` is called when something has changed from elsewhere, `failed` with what
   * a budget throws.
   */
  constructor(
    line: Line<T>,
    budget: Budget,
    wake: () => void,
    failed: (error: unknown) => void,
  ) {
    this.#line = line;
    this.#wake = wake;
    this.#failed = failed;
    this.#seat = budget.join(this);
    line.permit(0);
  }

  /** Tells the budget what has changed, which may grant something at once. */
  sync(): void {
    const line = this.#line;
    const yielded = line.yielded - this.#yielded;
    if (yielded > 0) {
      this.#yielded += yielded;
      this.#owe(yielded);
      this.#call((seat) => seat.leaving(yielded));
    }
    const back = this.#held - line.occupied;
    if (back > 0) {
      this.#held -= back;
      this.#owed = Math.max(0, this.#owed - back);
      // Without these the line may lack more.
      this.#permit();
    }
    this.#isSyncing = true;
    // First, as what is given back is not to come again for nobody.
    this.#want();
    if (back > 0) this.#call((seat) => seat.giveBack(back));
    this.#isSyncing = false;
  }

  grant(permits: number): void {
    this.#held += permits;
    this.#permit();
    // At once, as the next permit may be for who waits elsewhere.
    this.#want();
    if (!this.#isSyncing) this.#wake();
  }

  get idleSince(): number {
    return this.#line.idleSince;
  }

  letGo(): void {
    // One of someone's own making may ask where nothing is idle.
    if (this.idleSince === Infinity) return;
    this.#line.letGo();
    this.#owe(1);
    this.#wake();
  }

  yieldTo(time: number): void {
    this.#line.yieldTo(time);
  }

  failed(error: unknown): void {
    if (this.#line.lacking > 0) this.#failed(error);
  }

  #want(): void {
    const { lacking, lacksSince } = this.#line;
    this.#call((seat) => seat.want(lacking, lacksSince));
  }

  /** One of someone's own making may throw: what it was told counts as told. */
  #call(tell: (seat: BudgetSeat) => void): void {
    try {
      tell(this.#seat);
    } catch (error) {
      this.#failed(error);
    }
  }

  #owe(permits: number): void {
    this.#owed += permits;
    this.#permit();
  }

  #permit(): void {
    const untold = this.#line.yielded - this.#yielded;
    this.#line.permit(this.#held - this.#owed - untold);
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
      new Permits(
        line,
        budget,
        wake,
        // It is the cause of what waits in vain for a permit.
        (error) => parts.refusals.createFailed(line, error),
      )
    );
  }

  sync(): void {
    for (const permits of this.#permits) permits.sync();
  }

  inContext(): void {
    this.#parts.play();
  }
}
