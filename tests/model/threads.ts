/**
 * Explores every interleaving of a few threads that share a budget: each read
 * and each swap of the real step is a transition of its own, or all reads of an
 * attempt are one, and a thread can stop for ever, or for so long that it is
 * taken for dead, between any two.
 *
 * @module
 */
import {
  type Effect,
  end,
  enter,
  LIFE,
  NUMBERS,
  type Read,
  type Self,
  type Shape,
  slotAt,
  step,
  type Swap,
  TICKET,
  wordAt,
  wordsOf,
} from "../../src/threads/step.ts";

/** How large a world is, and what may happen in it. */
export interface ThreadScope {
  readonly name: string;
  readonly threads: number;
  readonly permits: number;
  /** How many permits each thread comes to want, one after the other or at once. */
  readonly wants: number;
  /** How often a thread, over all, stops for ever. */
  readonly crashes: number;
  /** How often one that goes on later is taken for dead. */
  readonly stalls: number;
  /** Whether one who waits may wait no more. */
  readonly leaves: boolean;
  /** Whether others act between the reads of one attempt. */
  readonly fine: boolean;
}

/** What can be wrong, besides the scopes. */
export interface Wrong {
  /** Acts on what a swap is to do before it is done. */
  readonly actsBefore?: boolean;
  /** After a swap that failed, swaps the same in whatever is there. */
  readonly keepsStep?: boolean;
  /** What a step says, as it should not. */
  readonly distort?: (swap: Swap, shape: Shape) => Swap;
}

const PLAIN = {
  ...{ threads: 2, permits: 1, wants: 1, crashes: 0, stalls: 0 },
  ...{ leaves: false, fine: false },
};

/** Small enough for the suite. */
export const SMALL_THREAD_SCOPES: readonly ThreadScope[] = [
  { ...PLAIN, name: "two threads, each read", leaves: true, fine: true },
  { ...PLAIN, name: "two threads that crash", crashes: 1, wants: 2 },
  {
    ...PLAIN,
    name: "two threads that stall, each read",
    stalls: 1,
    fine: true,
  },
  { ...PLAIN, name: "three threads", threads: 3 },
];

export const THREAD_SCOPES: readonly ThreadScope[] = [
  ...SMALL_THREAD_SCOPES,
  {
    ...PLAIN,
    name: "two threads, more wants, each read",
    wants: 2,
    fine: true,
  },
  {
    ...PLAIN,
    name: "two threads that crash or stall, each read",
    crashes: 1,
    stalls: 1,
    fine: true,
  },
  {
    ...PLAIN,
    name: "two threads, two permits",
    permits: 2,
    wants: 3,
    leaves: true,
  },
  {
    ...PLAIN,
    name: "two threads that crash or stall, two permits",
    permits: 2,
    wants: 2,
    crashes: 1,
    stalls: 1,
  },
  { ...PLAIN, name: "three threads that leave", threads: 3, leaves: true },
  { ...PLAIN, name: "three threads that crash", threads: 3, crashes: 1 },
];

/** What a thread computes. */
type Task =
  | { readonly kind: "look" | "enter" }
  | { readonly kind: "end"; readonly row: number; readonly life: number };

/** A thread, between two transitions. */
interface Thread {
  /** None before it has entered, and after it has ended. */
  self: Self | undefined;
  isCrashed: boolean;
  /** What it computes, unless it sleeps. */
  task: Task | undefined;
  /** What it has read for that: where, and what. */
  readonly log: [at: number, word: number][];
  /** What it is about to swap, or to act on, having swapped it. */
  swap: Swap | undefined;
  isSwapped: boolean;
  isRung: boolean;
  /** The slots for which it has made a resource. */
  held: number[];
  /** How many permits it is still to want. */
  left: number;
}

interface World {
  readonly words: number[];
  readonly threads: Thread[];
  /** By slot, the rows that were in line, unserved, when it came free. */
  readonly before: number[];
  crashes: number;
  stalls: number;
}

const LOOK: Task = { kind: "look" };

/** What others see of an effect, so that it matters when one stops before it. */
const SEEN = new Set(["granted", "assigned", "ended", "entered"]);

function start(
  { threads, permits, wants, crashes, stalls }: ThreadScope,
): World {
  const shape = { max: permits, threads };
  const words = Array<number>(wordsOf(shape)).fill(0);
  const all = Array.from({ length: threads }, (_, row): Thread => {
    words[wordAt(row, LIFE)] = 1;
    const self = {
      row,
      life: 1,
      wants: 0,
      starves: false,
      spent: [],
      number: 0,
    };
    const rest = { isCrashed: false, swap: undefined, isSwapped: false };
    const idle = { task: undefined, log: [], isRung: false, held: [] };
    return { self, ...rest, ...idle, left: wants };
  });
  const before = Array<number>(permits).fill(0);
  return { words, threads: all, before, crashes, stalls };
}

function copy({ words, threads, before, ...rest }: World): World {
  return {
    words: [...words],
    before: [...before],
    threads: threads.map((thread) => ({
      ...thread,
      self: thread.self && { ...thread.self, spent: [...thread.self.spent] },
      log: [...thread.log],
      held: [...thread.held],
    })),
    ...rest,
  };
}

/** A rule that is broken, and what has led to it. */
export class ThreadFault extends Error {}

/** What the attempt of a thread reads next. */
class Unread {
  constructor(readonly at: number) {}
}

class Explorer {
  readonly #scope: ThreadScope;
  readonly #shape: Shape;
  readonly #wrong: Wrong;
  readonly #ids = new Map<string, number>();
  readonly #frontier: World[] = [];
  readonly #parents: number[] = [];
  readonly #events: string[] = [];
  transitions = 0;

  constructor(scope: ThreadScope, wrong: Wrong) {
    this.#scope = scope;
    this.#wrong = wrong;
    this.#shape = { max: scope.permits, threads: scope.threads };
  }

  get #hasTrouble(): boolean {
    return this.#scope.crashes + this.#scope.stalls > 0;
  }

  get states(): number {
    return this.#ids.size;
  }

  run(): void {
    this.#add(start(this.#scope), -1, "");
    for (let state = 0; state < this.#frontier.length; state++) {
      const world = this.#frontier[state]!;
      // It is not needed any more.
      delete this.#frontier[state];
      for (const [event, next, fault] of this.#successors(world)) {
        this.transitions++;
        const found = fault ?? this.#fault(next);
        if (found !== undefined) throw this.#faultAt(found, state, event);
        this.#add(next, state, event);
      }
    }
  }

  #add(world: World, parent: number, event: string): void {
    const key = keyOf(world, this.#shape);
    if (this.#ids.has(key)) return;
    this.#ids.set(key, this.#ids.size);
    this.#frontier.push(world);
    this.#parents.push(parent);
    this.#events.push(event);
  }

  #faultAt(fault: string, state: number, event: string): ThreadFault {
    const way = [event];
    for (let at = state; at > 0; at = this.#parents[at]!) {
      way.push(this.#events[at]!);
    }
    const lines = way.reverse().map((event, i) => `\n  ${i + 1}. ${event}`);
    return new ThreadFault(`${this.#scope.name}: ${fault}${lines.join("")}`);
  }

  /** All that can happen, and what it breaks at once. */
  #successors(world: World): [string, World, string?][] {
    const all: [string, World, string?][] = [];
    for (const [id, thread] of world.threads.entries()) {
      if (thread.isCrashed) continue;
      const will = (
        what: string,
        act: (it: Thread, next: World) => string | void,
      ) => {
        const next = copy(world);
        const fault = act(next.threads[id]!, next);
        all.push(
          [`thread ${id} ${what}`, next, ...fault ? [fault] : []] as [
            string,
            World,
            string?,
          ],
        );
      };
      if (world.crashes > 0 && thread.self !== undefined) {
        will("crashes", (it, next) => {
          next.crashes--;
          Object.assign(it, {
            isCrashed: true,
            task: undefined,
            swap: undefined,
          });
          it.log.length = it.held.length = 0;
        });
      }
      if (thread.swap !== undefined && thread.isSwapped) {
        will(
          `acts: ${inWords(thread.swap)}`,
          (it, next) => this.#act(it, next),
        );
      } else if (thread.swap !== undefined) {
        will(
          `swaps: ${inWords(thread.swap)}`,
          (it, next) => this.#swap(it, next),
        );
      } else if (thread.task !== undefined) {
        will("reads", (it, next) => this.#read(it, next));
      } else this.#wake(world, thread, will);
    }
    return all;
  }

  /** What can set off one that sleeps. */
  #wake(
    world: World,
    { self, isRung, held, left }: Thread,
    will: (what: string, act: (it: Thread, next: World) => void) => void,
  ): void {
    if (self === undefined) {
      return will("enters", (it) => void (it.task = { kind: "enter" }));
    }
    if (isRung) {
      will("is rung", (it) => {
        it.isRung = false;
        it.task = LOOK;
      });
    }
    if (left > 0) {
      will("wants one more", (it) => {
        it.left--;
        it.self!.wants++;
        it.self!.starves = true;
        it.task = LOOK;
      });
    }
    if (held.length > 0) {
      will("is through with one", (it) => {
        it.self!.spent.push(it.held.shift()!);
        it.task = LOOK;
      });
    }
    if (this.#scope.leaves && self.wants > 0) {
      will("waits no more", (it) => {
        it.self!.wants = 0;
        it.self!.starves = false;
        it.task = LOOK;
      });
    }
    for (const { self: other, isCrashed } of world.threads) {
      if (other === undefined || other.row === self.row) continue;
      if (!isCrashed && world.stalls === 0) continue;
      const { row, life } = other;
      if (world.words[wordAt(row, LIFE)] !== life) continue;
      will(`takes ${row} for dead`, (it, next) => {
        if (!isCrashed) next.stalls--;
        it.task = { kind: "end", row, life };
      });
    }
  }

  /** One read more, or the last, with which it is known what to swap. */
  #read(it: Thread, world: World): void {
    let reads = 0;
    const read: Read = (at) => {
      const known = it.log[reads++];
      if (known !== undefined) return known[1];
      if (this.#scope.fine) throw new Unread(at);
      return world.words[at]!;
    };
    try {
      const swap = this.#compute(it, read);
      it.log.length = 0;
      if (swap === undefined) return this.#rest(it, world);
      it.swap = this.#wrong.distort?.(swap, this.#shape) ?? swap;
      if (this.#wrong.actsBefore) this.#run(it, swap.effect, world);
    } catch (error) {
      if (!(error instanceof Unread)) throw error;
      it.log.push([error.at, world.words[error.at]!]);
    }
  }

  #compute({ task, self }: Thread, read: Read): Swap | undefined {
    switch (task!.kind) {
      case "look":
        return step(read, this.#shape, self!);
      case "enter":
        return enter(read, this.#shape);
      case "end":
        return end(read, task!.row, task!.life);
    }
  }

  /** There is nothing to swap, so it sleeps, if it has not ended. */
  #rest(it: Thread, world: World): void {
    // Whoever was to be ended has been: there may be something to hand out.
    const isLooking = it.task!.kind === "look";
    it.task = isLooking ? undefined : LOOK;
    if (this.#isAlive(it, world)) return;
    it.self = it.task = undefined;
    it.held = [];
  }

  #isAlive({ self }: Thread, { words }: World): boolean {
    return self !== undefined && words[wordAt(self.row, LIFE)] === self.life;
  }

  #swap(it: Thread, world: World): string | void {
    const { at, from, to } = it.swap!;
    const { words } = world;
    if (words[at] !== from && !this.#wrong.keepsStep) {
      it.swap = undefined;
      return;
    }
    const fault = this.#overtaken(it.swap!, world);
    words[at] = to;
    it.isSwapped = true;
    this.#note(it.swap!, world);
    const isSeen = SEEN.has(it.swap!.effect.kind) && this.#hasTrouble;
    if (!isSeen) this.#act(it, world);
    return fault;
  }

  /**
   * Who was in line before a slot came free gets it before who was not, unless
   * that one was first until now. Where one was taken for dead, none is promised.
   */
  #overtaken({ effect, at, from }: Swap, world: World): string | undefined {
    const { words, before, stalls } = world;
    if (stalls < this.#scope.stalls) return;
    const isOwn = from > 0 && (from & 1) === 1;
    const theirs = effect.kind === "assigned"
      ? words[wordAt(effect.row, TICKET)]!
      : effect.kind === "granted" && !isOwn
      ? Infinity
      : 0;
    const mask = before[at - slotAt(this.#shape, 0)]!;
    for (let row = 0; row < this.#shape.threads; row++) {
      if (mask >> row & 1 && words[wordAt(row, TICKET)]! < theirs) {
        return `the thread in row ${row} is overtaken`;
      }
    }
  }

  /** Keeps what was in line when a slot came free. */
  #note({ effect, at }: Swap, world: World): void {
    const { words, before } = world;
    const row = Math.floor((at - wordAt(0, 0)) / (wordAt(1, 0) - wordAt(0, 0)));
    switch (effect.kind) {
      case "gaveBack":
      case "declined":
        before[at - slotAt(this.#shape, 0)] = this.#inLine(words);
        break;
      case "ended": {
        const line = this.#inLine(words);
        for (let slot = 0; slot < before.length; slot++) {
          const word = words[slotAt(this.#shape, slot)]!;
          before[slot]! &= ~(1 << row);
          if (word > 0 && (word >> 1 & 255) === row) before[slot] = line;
        }
        break;
      }
      case "left":
        for (let slot = 0; slot < before.length; slot++) {
          before[slot]! &= ~(1 << row);
        }
        break;
      case "assigned":
        for (let slot = 0; slot < before.length; slot++) {
          before[slot]! &= ~(1 << effect.row);
        }
    }
  }

  /** The rows with a ticket, as bits, without those that have something aside. */
  #inLine(words: readonly number[]): number {
    let line = 0;
    const { max, threads } = this.#shape;
    for (let row = 0; row < threads; row++) {
      const life = words[wordAt(row, LIFE)]!;
      if (life % 2 === 1 && words[wordAt(row, TICKET)] !== 0) line |= 1 << row;
      for (let slot = 0; slot < max; slot++) {
        const word = words[slotAt(this.#shape, slot)]!;
        if (word === ((life << 8 | row) << 1 | 1)) line &= ~(1 << row);
      }
    }
    return line;
  }

  #act(it: Thread, world: World): void {
    const { effect } = it.swap!;
    it.swap = undefined;
    it.isSwapped = false;
    if (!this.#wrong.actsBefore) this.#run(it, effect, world);
  }

  #run(it: Thread, effect: Effect, world: World): void {
    const { self } = it;
    if (effect.kind === "entered") {
      const { row, life } = effect;
      world.words[wordAt(row, TICKET)] = 0;
      it.self = { row, life, wants: 0, starves: false, spent: [], number: 0 };
      it.task = LOOK;
      return;
    }
    if (!this.#isAlive(it, world)) return;
    switch (effect.kind) {
      case "granted":
        it.held.push(effect.slot);
        self!.wants--;
        self!.starves = self!.wants > 0;
        break;
      case "assigned":
        ringRow(world, effect.row);
        break;
      case "drawn":
        self!.number = effect.number;
        break;
      case "queued":
      case "declined":
        self!.number = 0;
        break;
      case "gaveBack":
        self!.spent.shift();
        self!.number = 0;
        break;
      case "ended":
        for (const { self } of world.threads) {
          if (self !== undefined && self !== it.self) ringRow(world, self.row);
        }
        it.task = LOOK;
    }
  }

  /** The rule that a state breaks, if any. */
  #fault(world: World): string | undefined {
    const { threads } = world;
    const alive = threads.filter((it) => this.#isAlive(it, world));
    const owners = alive.flatMap(({ held }) => held);
    if (owners.length > this.#shape.max) {
      return `${owners.length} resources with ${this.#shape.max} permits`;
    }
    if (new Set(owners).size < owners.length) return "a permit is spent twice";
    if (threads.some((it) => it.task !== undefined || it.isRung)) return;
    return this.#lost(this.#isTroubled(world) ? this.#healed(world) : world);
  }

  /** Whether one has stopped at a moment when others counted on it. */
  #isTroubled({ crashes, stalls }: World): boolean {
    return crashes < this.#scope.crashes || stalls < this.#scope.stalls;
  }

  /** What is after all have looked twice, as they do at each beat. */
  #healed(world: World): World {
    const healed = copy(world);
    for (const it of [...healed.threads, ...healed.threads]) {
      if (it.isCrashed || it.self === undefined) continue;
      const read: Read = (at) => healed.words[at]!;
      for (;;) {
        const swap = step(read, this.#shape, it.self);
        if (swap === undefined) break;
        healed.words[swap.at] = swap.to;
        this.#run(it, swap.effect, healed);
      }
    }
    return healed;
  }

  /** A permit that is lost, as all sleep and none is rung. */
  #lost(world: World): string | undefined {
    const { words, threads } = world;
    const alive = threads.filter((it) => this.#isAlive(it, world));
    for (let slot = 0; slot < this.#shape.max; slot++) {
      const word = words[slotAt(this.#shape, slot)]!;
      const owner = alive.find(({ self }) =>
        word >> 1 === (self!.life << 8 | self!.row)
      );
      // What a crashed one holds is lost until it is taken for dead.
      const isKnown = owner?.held.includes(slot) || owner?.isCrashed;
      if (word > 0 && owner !== undefined && !isKnown) {
        return `nobody knows of the permit ${slot}`;
      }
      const waits = alive.some(({ self, isCrashed }) =>
        self!.wants > 0 && !isCrashed
      );
      const isBlocked = threads.some(({ isCrashed }) => isCrashed);
      if (owner === undefined && waits && !isBlocked) {
        return `nobody is rung for the permit ${slot}`;
      }
    }
  }
}

function ringRow({ threads, words }: World, row: number): void {
  for (const thread of threads) {
    const { self, isCrashed } = thread;
    if (isCrashed || self?.row !== row) continue;
    if (words[wordAt(row, LIFE)] === self.life) thread.isRung = true;
  }
}

function inWords({ at, from, to, effect }: Swap): string {
  return `${JSON.stringify(effect)} by word ${at} from ${from} to ${to}`;
}

/** A state as text, in which of the numbers drawn only the order is left. */
function keyOf(
  { words, threads, before, crashes, stalls }: World,
  shape: Shape,
): string {
  const used = new Set<number>([words[NUMBERS]!]);
  const first = slotAt(shape, 0);
  const isNumber = (at: number, word: number) =>
    at === NUMBERS ||
    (at >= first ? word < 0 : (at - wordAt(0, 0)) % 16 === TICKET);
  const seen = (at: number, word: number) => {
    if (isNumber(at, word)) used.add(Math.abs(word));
  };
  const places: number[] = [NUMBERS];
  for (let row = 0; row < shape.threads; row++) {
    places.push(wordAt(row, LIFE), wordAt(row, TICKET));
  }
  for (let slot = 0; slot < shape.max; slot++) places.push(first + slot);
  for (const at of places) seen(at, words[at]!);
  for (const { self, log, swap } of threads) {
    if (self !== undefined) used.add(self.number);
    for (const [at, word] of log) seen(at, word);
    if (swap === undefined) continue;
    seen(swap.at, swap.from);
    seen(swap.at, swap.to);
  }
  used.add(0);
  const ranks = new Map([...used].sort((a, b) => a - b).map((n, i) => [n, i]));
  const rank = (at: number, word: number) =>
    isNumber(at, word) ? Math.sign(word) * ranks.get(Math.abs(word))! : word;
  const parts: unknown[] = [crashes, stalls, before.join(",")];
  for (const at of places) parts.push(rank(at, words[at]!));
  for (const it of threads) {
    const { self, task, log, swap, isSwapped, isRung, held, left, isCrashed } =
      it;
    parts.push(
      self &&
        [
          self.row,
          self.life,
          self.wants,
          self.starves,
          self.spent,
          ranks.get(self.number),
        ],
      task && Object.values(task),
      log.map(([at, word]) => [at, rank(at, word)]),
      swap &&
        [
          swap.at,
          rank(swap.at, swap.from),
          rank(swap.at, swap.to),
          swap.effect.kind,
        ],
      [isSwapped, isRung, isCrashed].map(Number),
      held,
      left,
    );
  }
  return JSON.stringify(parts);
}

/** Explores a scope; throws a `ThreadFault` for the first rule that is broken. */
export function exploreThreads(
  scope: ThreadScope,
  wrong: Wrong = {},
): { states: number; transitions: number } {
  const explorer = new Explorer(scope, wrong);
  explorer.run();
  return explorer;
}
