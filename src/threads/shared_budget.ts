import { Check, COUNT, DELAY, OBJECT } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Budget, BudgetMember, BudgetSeat } from "../permit.ts";
import { SystemClock } from "../system_clock.ts";
import { Bell, ring } from "./bell.ts";
import { allocate, shapeOf, swap, wordsIn } from "./memory.ts";
import { type Port, Relay } from "./relay.ts";
import {
  ANSWER,
  answer,
  asks,
  BEAT,
  DEAF,
  type Effect,
  end,
  enter,
  GUEST,
  LIFE,
  MAX_PERMITS,
  MAX_THREADS,
  type Read,
  ROWS,
  type Self,
  type Shape,
  step,
  type Swap,
  TICKET,
  unanswer,
  wordAt,
} from "./step.ts";

/** Options of the first `SharedBudget`, which makes the memory. */
export interface SharedBudgetOptions {
  /** The most resources at one time, over all pools of all threads. */
  max: number;
  /** The most threads that take part at one time. Default 64, at most 256. */
  threads?: number | undefined;
  /**
   * Milliseconds without a sign of life after which a thread counts as dead, up
   * to a tenth more, as counted by the others: longer than any of them may be
   * busy without a turn of its event loop. Default 10 000.
   */
  silence?: number | undefined;
  /** As of a pool; that of its pools. Default: `performance.now()`. */
  clock?: Clock | undefined;
}

/**
 * Lets one thread take part. It is sent to it with its port:
 * `worker.postMessage(invitation, [invitation.port])`.
 */
export interface Invitation {
  /** What all threads share. */
  readonly memory: SharedArrayBuffer;
  /** Tells when the thread has ended, and wakes it where nothing else does. */
  readonly port: Port;
  /** Which of the invitations it is. */
  readonly guest: number;
  /** The option of the first one. */
  readonly silence: number;
}

/** As many looks without a beat, and a thread is dead. */
const LOOKS = 10;

/** The last invitation. */
const GUESTS = 3;

/** What one line of a pool of this thread has of the budget, and lacks. */
class Share {
  readonly member: BudgetMember;
  wants = 0;
  since = Infinity;
  /** How many it holds, and how many of them come back soon. */
  held = 0;
  leaving = 0;
  /** Since when another waits, as it was told last. */
  yieldsTo = Infinity;

  constructor(member: BudgetMember) {
    this.member = member;
  }
}

/** What a thread has seen of the row of another. */
interface Pulse {
  life: number;
  beat: number;
  /** How often in a row it saw the same. */
  looks: number;
}

/**
 * At most `max` resources over all pools, in all threads, that are given a
 * budget of one memory. The first is made with `max`, that of another thread
 * with an invitation. In a thread, a permit is for who has waited longest; among
 * threads, they take turns in the order in which they got in line.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { SharedBudget } from "@lease/pool/threads";
 *
 * using budget = new SharedBudget({ max: 20 });
 * await using pool = new Pool({ create: () => ({}), max: 20, budget });
 *
 * // For each worker: worker.postMessage(invitation, [invitation.port]);
 * const invitation = budget.invite();
 *
 * // In the worker:
 * using theirs = new SharedBudget(invitation);
 * await using another = new Pool({ create: () => ({}), max: 20, budget: theirs });
 * console.log(await another.use(() => "at most 20 over both"));
 * ```
 */
export class SharedBudget implements Budget, Disposable {
  readonly #words: Int32Array;
  readonly #shape: Shape;
  readonly #silence: number;
  readonly #clock: Clock;
  /** What the thread was invited by, or 0. */
  readonly #guest: number;
  readonly #relay = new Relay(() => {
    if (this.#self !== undefined) this.#settle();
  });
  /** Those that hold something. */
  readonly #shares = new Set<Share>();
  /** Those that want something, in the order in which they came to. */
  readonly #wanting = new Set<Share>();
  /** Its row; none until it has something to do, and none if all are taken. */
  #self: Self | undefined;
  /** The slots it holds. */
  readonly #slots: number[] = [];
  /** How many more its pools hold, as it was taken for dead. */
  #excess = 0;
  /** The rows to which it has promised permits. */
  readonly #answers: number[] = [];
  /** Since when others wait, as far as it knows. */
  #othersSince = Infinity;
  /** Whether the others were told that it waits, and were not heard of since. */
  #hasAsked = false;
  readonly #pulses: Pulse[] = [];
  #bell: Bell | undefined;
  #timer: unknown;
  #isSettling = false;
  #isUnsettled = false;
  #isClosed = false;

  /**
   * Sets nothing in motion.
   *
   * @throws {TypeError} if an option is of the wrong kind, or not known
   * @throws {RangeError} if an option is out of range
   */
  constructor(
    options:
      | SharedBudgetOptions
      | Invitation & Pick<SharedBudgetOptions, "clock">,
  ) {
    const check = new Check("Cannot create budget");
    check.that("options", options, OBJECT);
    const { clock = new SystemClock() } = options;
    this.#clock = clock;
    if ("memory" in options) {
      check.names(options, ["memory", "port", "guest", "silence", "clock"]);
      const { memory, port, guest, silence } = options;
      check.that("port", port, OBJECT);
      check.that("guest", guest, COUNT);
      check.that("silence", silence, DELAY);
      this.#words = wordsIn(memory) ??
        check.mistake("memory", "that of an invitation", memory);
      this.#guest = guest;
      this.#silence = silence;
      this.#relay.add(port, 0, () => {});
    } else {
      check.names(options, ["max", "threads", "silence", "clock"]);
      const { max, threads = 64, silence = 10_000 } = options;
      check.that("max", max, COUNT);
      if (max > MAX_PERMITS) check.fail("max", `at most ${MAX_PERMITS}`, max);
      check.that("threads", threads, COUNT);
      if (threads > MAX_THREADS) {
        check.fail("threads", `at most ${MAX_THREADS}`, threads);
      }
      check.that("silence", silence, DELAY);
      this.#words = allocate({ max, threads });
      this.#guest = 0;
      this.#silence = silence;
    }
    this.#shape = shapeOf(this.#words);
  }

  /**
   * Lets another thread take part: an invitation for one, to be sent with its
   * port.
   */
  invite(): Invitation {
    const channel = new MessageChannel();
    const guest = Atomics.add(this.#words, GUESTS, 1) + 1;
    const memory = this.#words.buffer as SharedArrayBuffer;
    const { port2: port } = channel;
    const invitation = { memory, port, guest, silence: this.#silence };
    this.#relay.add(channel.port1, guest, () => {
      // Some runtimes tell of a port that this thread itself has closed.
      if (!this.#isClosed) this.ended(invitation);
    });
    return invitation;
  }

  /**
   * The thread that was invited by this one has ended, so what it held is to be
   * had. Bun and Node tell of a port that has closed, which does the same; in Deno
   * it is to be called after `terminate()` and when a worker has failed. Without
   * it the others notice after `silence`.
   *
   * @throws {TypeError} if it is given something else
   */
  ended({ guest }: Pick<Invitation, "guest">): void {
    // Of no number, all would be meant.
    new Check("Cannot end thread").that("guest", guest, COUNT);
    this.#relay.close(guest);
    for (const { row, life } of this.#others()) {
      const at = wordAt(row, GUEST);
      // The row is nobody's, lest the thread comes back before it is gone.
      const its = Atomics.compareExchange(this.#words, at, guest, -guest);
      if (its === guest) this.#end(row, life);
    }
    if (this.#self !== undefined) this.#settle();
  }

  /**
   * Called by the pools that are given it.
   *
   * @throws {RangeError} if as many threads as can take part do
   * @throws {Error} if the budget is closed
   */
  join(member: BudgetMember): BudgetSeat {
    if (this.#isClosed) throw new Error("Cannot join budget as it is closed");
    if (this.#self === undefined && !this.#enter()) {
      const { threads } = this.#shape;
      throw new RangeError(
        `Cannot join budget as ${threads} threads take part: raise 'threads'`,
      );
    }
    const share = new Share(member);
    return {
      want: (permits, since) => this.#want(share, permits, since),
      leaving: (permits) => {
        // What it was told is over with that.
        share.yieldsTo = Infinity;
        share.leaving += permits;
        if (this.#leaving > this.#excess) {
          for (let n = 0; n < permits; n++) this.#answer();
        }
        this.#settle();
      },
      giveBack: (permits) => this.#giveBack(share, permits),
    };
  }

  /**
   * The thread takes no part any more: what it holds is to be had, so its pools
   * are to be closed before.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#clock.clearTimeout(this.#timer);
    this.#bell?.stop();
    const self = this.#self;
    if (self !== undefined) this.#end(self.row, self.life);
    this.#relay.close();
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #want(share: Share, permits: number, time: number): void {
    const since = permits > 0 ? time : Infinity;
    if (permits === share.wants && since === share.since) return;
    // Of two that came at the same time, the one that said so first is first.
    if (permits === 0 || since !== share.since) this.#wanting.delete(share);
    if (permits > 0) this.#wanting.add(share);
    share.wants = permits;
    share.since = since;
    this.#settle();
  }

  #giveBack(share: Share, permits: number): void {
    share.held -= permits;
    share.leaving = Math.max(0, share.leaving - permits);
    if (share.held === 0) {
      this.#shares.delete(share);
      this.#tell(share, Infinity);
    }
    const own = Math.max(0, permits - this.#excess);
    this.#excess -= permits - own;
    this.#self?.spent.push(...this.#slots.splice(0, own));
    this.#settle();
    for (const row of this.#answers.splice(0, permits)) this.#unanswer(row);
  }

  /** One after the other: a grant can make its pool want something else. */
  #settle(): void {
    this.#isUnsettled = true;
    if (this.#isSettling) return;
    this.#isSettling = true;
    try {
      while (this.#isUnsettled && !this.#isClosed) {
        this.#isUnsettled = false;
        if (this.#look()) this.#ask();
        else this.#part();
      }
    } finally {
      this.#isSettling = false;
    }
    this.#holdOn();
  }

  /** Does what there is to do with the words; false if it has no row. */
  #look(): boolean {
    for (;;) {
      const self = this.#self;
      if (self === undefined) return false;
      self.wants = this.#excess;
      for (const { wants } of this.#wanting) self.wants += wants;
      self.starves = this.#starves;
      const effect = this.#swap((read) => step(read, this.#shape, self));
      // An effect is for those who have not ended meanwhile.
      if (!this.#isAlive(self)) this.#comeBack();
      else if (effect === undefined) return true;
      else this.#run(effect, self);
    }
  }

  #run(effect: Effect, self: Self): void {
    switch (effect.kind) {
      case "granted":
        this.#slots.push(effect.slot);
        if (this.#excess > 0) this.#excess--;
        else this.#grant();
        break;
      case "assigned":
        this.#ring(effect.row);
        break;
      case "drawn":
        self.number = effect.number;
        break;
      case "queued":
      case "declined":
        self.number = 0;
        break;
      case "gaveBack":
        self.spent.shift();
        self.number = 0;
        break;
      case "left":
        if (this.#hasAsked) this.#ringAll();
        this.#hasAsked = false;
    }
  }

  /** Whether somebody waits. */
  get #starves(): boolean {
    return (this.#first()?.since ?? Infinity) < Infinity;
  }

  /** Who has waited longest. */
  #first(): Share | undefined {
    let first: Share | undefined;
    for (const share of this.#wanting) {
      if (first === undefined || share.since < first.since) first = share;
    }
    return first;
  }

  #grant(): void {
    const share = this.#first()!;
    share.held++;
    this.#shares.add(share);
    if (--share.wants === 0) this.#wanting.delete(share);
    share.member.grant(1);
  }

  /** What it holds beyond its permits may be others': it leaves, idle or released. */
  #part(): void {
    while (this.#leaving < this.#excess && this.#letGo());
    if (this.#leaving >= this.#excess) return;
    for (const share of this.#shares) this.#tell(share, -Infinity);
  }

  /** Sees to it that those who wait and were promised nothing get something. */
  #ask(): void {
    this.#part();
    // What is promised first is let go after, so that one thread does.
    while (this.#idlest() !== undefined && this.#answer()) this.#letGo();
    const { row } = this.#self!;
    const rows = asks(this.#read, this.#shape).map(({ row }) => row);
    if (!rows.some((other) => other !== row)) this.#othersSince = Infinity;
    else if (this.#othersSince === Infinity) {
      this.#othersSince = this.#clock.now();
    }
    const isOwn = rows.includes(row);
    const ownSince = isOwn ? this.#first()!.since : Infinity;
    const since = this.#leaving < this.#excess
      ? -Infinity
      : Math.min(ownSince, this.#othersSince);
    for (const share of this.#shares) this.#tell(share, since);
    if (isOwn && !this.#hasAsked) this.#ringAll();
    this.#hasAsked = isOwn;
  }

  /** How many permits come back soon. */
  get #leaving(): number {
    let leaving = 0;
    for (const share of this.#shares) leaving += share.leaving;
    return leaving;
  }

  /** Where something has been idle longest, if anything is. */
  #idlest(): Share | undefined {
    let idlest: Share | undefined;
    let earliest = Infinity;
    for (const share of this.#shares) {
      const { idleSince } = share.member;
      if (idleSince < earliest) [idlest, earliest] = [share, idleSince];
    }
    return idlest;
  }

  #letGo(): boolean {
    const share = this.#idlest();
    if (share === undefined) return false;
    share.leaving++;
    share.member.letGo();
    return true;
  }

  #tell(share: Share, since: number): void {
    if (share.yieldsTo === since) return;
    share.yieldsTo = since;
    share.member.yieldTo(since);
  }

  /** Promises a permit to who waits; the others need not go on looking. */
  #answer(): boolean {
    const self = this.#self!;
    const effect = this.#swap((read) => answer(read, this.#shape, self));
    if (effect?.kind !== "answered") return false;
    this.#answers.push(effect.row);
    this.#ringAll();
    return true;
  }

  #unanswer(row: number): void {
    const self = this.#self!;
    const effect = this.#swap((read) => unanswer(read, self, row));
    if (effect?.kind === "unanswered" && effect.waits) this.#ring(row);
  }

  #enter(): boolean {
    const effect = this.#swap((read) => enter(read, this.#shape));
    if (effect?.kind === "widened") return this.#enter();
    if (effect?.kind !== "entered") return false;
    const { row, life } = effect;
    const words = this.#words;
    // What the last one in this row has left.
    Atomics.store(words, wordAt(row, TICKET), 0);
    Atomics.store(words, wordAt(row, ANSWER), 0);
    Atomics.store(words, wordAt(row, GUEST), this.#guest);
    const rest = { wants: 0, starves: false, spent: [], number: 0 };
    this.#self = { row, life, ...rest };
    this.#bell = new Bell(words, row, () => this.#settle());
    if (this.#timer === undefined) this.#wait();
    return true;
  }

  #isAlive({ row, life }: Self): boolean {
    return this.#read(wordAt(row, LIFE)) === life;
  }

  /**
   * It was taken for dead: others may have got what its pools still hold. Where it
   * was said to have ended, it may go on for a moment: if it lives, it comes back
   * with the next beat.
   */
  #comeBack(): void {
    const { row } = this.#self!;
    this.#bell!.stop();
    this.#self = undefined;
    this.#slots.length = this.#answers.length = this.#excess = 0;
    for (const { held } of this.#shares) this.#excess += held;
    this.#hasAsked = false;
    if (this.#read(wordAt(row, GUEST)) === this.#guest) this.#enter();
  }

  #end(row: number, life: number): void {
    this.#swap((read) => end(read, row, life));
    // They hand out what it has held.
    this.#ringAll();
  }

  /** The rows of the other threads that take part. */
  #others(): { row: number; life: number }[] {
    const rows: { row: number; life: number }[] = [];
    const count = this.#read(ROWS);
    for (let row = 0; row < count; row++) {
      const life = this.#read(wordAt(row, LIFE));
      if (life % 2 === 1 && row !== this.#self?.row) rows.push({ row, life });
    }
    return rows;
  }

  #ring(row: number): void {
    ring(this.#words, row);
    if (this.#read(wordAt(row, DEAF)) === 1) this.#relay.call();
  }

  #ringAll(): void {
    for (const { row } of this.#others()) this.#ring(row);
  }

  #wait(): void {
    const delay = this.#silence / LOOKS;
    this.#timer = this.#clock.setTimeout(() => this.#beat(), delay);
  }

  /** Shows that it is alive, sees who is, and looks, should a bell be lost. */
  #beat(): void {
    this.#wait();
    const self = this.#self;
    if (self === undefined) this.#enter();
    else if (this.#isAlive(self)) {
      Atomics.add(this.#words, wordAt(self.row, BEAT), 1);
      for (const { row, life } of this.#others()) this.#watch(row, life);
    }
    this.#hasAsked = false;
    this.#settle();
  }

  /** Counts looks, not time, which passes for a process that is frozen. */
  #watch(row: number, life: number): void {
    const beat = this.#read(wordAt(row, BEAT));
    const pulse = this.#pulses[row];
    if (pulse?.life !== life || pulse.beat !== beat) {
      this.#pulses[row] = { life, beat, looks: 0 };
    } else if (++pulse.looks === LOOKS) this.#end(row, life);
  }

  /** While somebody waits, the timer keeps the process alive. */
  #holdOn(): void {
    const timer = this.#timer as { ref?(): void; unref?(): void } | undefined;
    if (this.#starves) timer?.ref?.();
    else timer?.unref?.();
  }

  readonly #read: Read = (at) => Atomics.load(this.#words, at);

  #swap(step: (read: Read) => Swap | undefined): Effect | undefined {
    return swap(this.#words, step);
  }
}
