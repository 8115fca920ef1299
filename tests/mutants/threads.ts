import type { Mutant } from "./mutant.ts";

const BELL = "src/threads/bell.ts";
const MEMORY = "src/threads/memory.ts";
const RELAY = "src/threads/relay.ts";
const SHARED = "src/threads/shared_budget.ts";
const STEP = "src/threads/step.ts";

export const THREADS: readonly Mutant[] = [
  // What is agreed on.
  {
    name: "threads_swap_not_recomputed",
    about: "a swap that failed is tried again as it was",
    file: MEMORY,
    from: `  for (;;) {
    const next = step(read);`,
    to: `  const next = step(read);
  for (;;) {`,
  },
  {
    name: "threads_swap_unchecked",
    about: "what a failed swap was to do is done",
    file: MEMORY,
    from: `to) === from) return effect;`,
    to: `to) !== NaN) return effect;`,
  },
  {
    name: "threads_life_repeats",
    about: "the life of a row is the same again",
    file: STEP,
    from: `    ? { at, from: life, to: life + 1 & LIFE_MASK, effect }`,
    to: `    ? { at, from: life, to: 0, effect }`,
  },
  {
    name: "threads_life_ignored",
    about: "what one that has ended holds is never to be had",
    file: STEP,
    from: `return word > 0 && read(wordAt(row, LIFE)) === rest >> ROW_BITS;`,
    to: `return word > 0 && read(wordAt(row, LIFE)) > 0;`,
  },
  {
    name: "threads_free_repeats",
    about: "a slot is free in the same way again",
    file: STEP,
    from: `to: -number, effect: { kind: "gaveBack" }`,
    to: `to: 0, effect: { kind: "gaveBack" }`,
  },
  {
    name: "threads_ended_goes_on",
    about: "one that has ended takes permits by its old life",
    file: STEP,
    from: `  if (read(wordAt(row, LIFE)) !== life) return undefined;
  const own`,
    to: `  const own`,
  },
  {
    name: "threads_newest_first",
    about: "who came last is served first",
    file: STEP,
    from: `precedes(a.ticket, b.ticket) ? -1 : 1`,
    to: `precedes(a.ticket, b.ticket) ? 1 : -1`,
  },
  {
    name: "threads_newcomer_overtakes",
    about: "who comes takes what is free, though others wait",
    file: STEP,
    from: `if (first !== undefined) {
      const { row, life } = first;
      const effect = { kind: "assigned"`,
    to: `if (first !== undefined && wants === 0) {
      const { row, life } = first;
      const effect = { kind: "assigned"`,
  },
  {
    name: "threads_ticket_kept",
    about: "who waits no more stays in line",
    file: STEP,
    from: `if (ticket !== 0 && (!starves || mine >= 0)) {`,
    to: `if (ticket !== 0 && mine >= 0) {`,
  },
  {
    name: "threads_declines_nothing",
    about: "what is set aside for one who waits no more stays there",
    file: STEP,
    from: `    return { at, from, to: -number, effect: { kind: "declined" } };`,
    to: `    return undefined;`,
  },
  {
    name: "threads_served_twice",
    about: "who has something set aside counts as waiting",
    file: STEP,
    from: `if (life % 2 === 1 && !isServed) all`,
    to: `if (life % 2 === 1) all`,
  },
  {
    name: "threads_answered_again",
    about: "who was promised a permit is promised another",
    file: STEP,
    from: `    .filter(({ answer }) => !isValid(read, answer));`,
    to: `;`,
  },
  // What a thread does about it.
  {
    name: "threads_assigned_not_rung",
    about: "one for whom a permit is set aside is not rung",
    file: SHARED,
    from: `        this.#ring(effect.row);
        break;
      case "drawn":`,
    to: `        break;
      case "drawn":`,
  },
  {
    name: "threads_asks_nobody",
    about: "the others do not hear that one waits",
    file: SHARED,
    from: `if (isOwn && !this.#hasAsked) this.#ringAll();`,
    to: ``,
  },
  {
    name: "threads_left_untold",
    about: "the others do not hear that one waits no more",
    file: SHARED,
    from: `        if (this.#hasAsked) this.#ringAll();`,
    to: ``,
  },
  {
    name: "threads_lets_nothing_go",
    about: "what is idle stays, though others wait",
    file: SHARED,
    from:
      `while (this.#idlest() !== undefined && this.#answer()) this.#letGo();`,
    to: ``,
  },
  {
    name: "threads_lets_go_unpromised",
    about: "every thread parts with something for one who waits",
    file: SHARED,
    from:
      `    while (this.#idlest() !== undefined && this.#answer()) this.#letGo();`,
    to: `    if (asks(this.#read, this.#shape).length > 0) this.#letGo();`,
  },
  {
    name: "threads_idle_last_first",
    about: "what has been idle for the shortest leaves",
    file: SHARED,
    from: `if (idleSince < earliest) [idlest`,
    to: `if (idleSince < Infinity) [idlest`,
  },
  {
    name: "threads_grants_last",
    about: "in a thread, a permit goes to who came last",
    file: SHARED,
    from: `share.since < first.since`,
    to: `share.since > first.since`,
  },
  {
    name: "threads_yields_to_nobody",
    about: "what is released stays, though others wait",
    file: SHARED,
    from: `: Math.min(ownSince, this.#othersSince);`,
    to: `: Infinity;`,
  },
  {
    name: "threads_back_too_rich",
    about: "one that comes back counts nothing of what it still holds",
    file: SHARED,
    from: `for (const { held } of this.#shares) this.#excess += held;`,
    to: ``,
  },
  {
    name: "threads_back_keeps_idle",
    about: "one that comes back keeps what is idle",
    file: SHARED,
    from: `while (this.#leaving < this.#excess && this.#letGo());`,
    to: ``,
  },
  {
    name: "threads_back_keeps_released",
    about: "one that comes back uses again what is released",
    file: SHARED,
    from: `const since = this.#leaving < this.#excess
      ? -Infinity`,
    to: `const since = this.#leaving < this.#excess
      ? Infinity`,
  },
  {
    name: "threads_no_beat",
    about: "a thread shows no sign of life",
    file: SHARED,
    from: `      Atomics.add(this.#words, wordAt(self.row, BEAT), 1);`,
    to: ``,
  },
  {
    name: "threads_dead_for_ever",
    about: "nobody is ever taken for dead",
    file: SHARED,
    from: `} else if (++pulse.looks === LOOKS) this.#end(row, life);`,
    to: `}`,
  },
  {
    name: "threads_dead_too_soon",
    about: "a thread is taken for dead half-way through its silence",
    file: SHARED,
    from: `++pulse.looks === LOOKS`,
    to: `++pulse.looks === LOOKS / 2`,
  },
  {
    name: "threads_close_keeps_all",
    about: "a thread that is closed gives nothing back",
    file: SHARED,
    from: `if (self !== undefined) this.#end(self.row, self.life);`,
    to: ``,
  },
  {
    name: "threads_close_beats_on",
    about: "a thread that is closed leaves its timer",
    file: SHARED,
    from: `    this.#clock.clearTimeout(this.#timer);`,
    to: ``,
  },
  {
    name: "threads_timer_holds_none",
    about: "the timer of one who waits lets the process end",
    file: SHARED,
    from: `if (this.#starves) timer?.ref?.();`,
    to: `if (this.#isClosed) timer?.ref?.();`,
  },
  {
    name: "threads_timer_holds_all",
    about: "the timer of one who has all keeps the process alive",
    file: SHARED,
    from: `    else timer?.unref?.();`,
    to: ``,
  },
  {
    name: "threads_ended_unknown",
    about: "whose port has closed is not known to have ended",
    file: SHARED,
    from: `=== guest) this.#end(row, life);`,
    to: `=== -1) this.#end(row, life);`,
  },
  // How they wake each other.
  {
    name: "threads_bell_trusted",
    about: "waitAsync is relied on where it does not settle",
    file: BELL,
    from: `wordAt(row, DEAF), 1);`,
    to: `wordAt(row, DEAF), 0);`,
  },
  {
    name: "threads_bell_assumed",
    about: "waitAsync is called where it is missing",
    file: BELL,
    from: `    if (typeof Atomics.waitAsync !== "function") return;`,
    to: ``,
  },
  {
    name: "threads_relay_keeps",
    about: "a message to one that was invited by another is not passed on",
    file: RELAY,
    from: `      this.#send(port);
      this.#heard();`,
    to: `      this.#heard();`,
  },
  {
    name: "threads_any_memory",
    about: "memory of something else is taken for that of a budget",
    file: MEMORY,
    from: "wordsOf(shapeOf(words)) === words.length ? words",
    to: "words.length > 0 ? words",
  },
  {
    name: "threads_memory_not_shared",
    about: "a copy of the memory of a budget is taken for it",
    file: MEMORY,
    from: "if (!(memory instanceof SharedArrayBuffer)) return undefined;",
    to: "if (!(memory instanceof Object)) return undefined;",
  },
  {
    name: "threads_end_of_all",
    about: "who says of something else that it has ended closes all ports",
    file: SHARED,
    from: `new Check("Cannot end thread").that("guest", guest, COUNT);`,
    to: "",
  },
  {
    name: "shared_max_beyond_a_word",
    about: "a shared budget takes a max that no word holds",
    file: "src/threads/shared_budget.ts",
    from: "if (max > MAX_PERMITS)",
    to: "if (max > MAX_PERMITS + 1)",
  },
  {
    name: "threads_keep_closed_pools",
    about: "a shared budget keeps the pools that hold nothing any more",
    file: SHARED,
    from: "      this.#shares.delete(share);\n",
    to: "",
  },
  {
    name: "threads_ended_come_back_at_once",
    about:
      "one that was said to have ended takes a row that it may never leave",
    file: SHARED,
    from: "if (this.#read(wordAt(row, GUEST)) === this.#guest) this.#enter();",
    to: "this.#enter();",
  },
  {
    name: "threads_ended_unmarked",
    about: "one that was said to have ended cannot know that",
    file: SHARED,
    from: "compareExchange(this.#words, at, guest, -guest)",
    to: "compareExchange(this.#words, at, guest, guest)",
  },
  {
    name: "threads_without_a_row_keep",
    about: "one that has no row keeps what is idle, and others may have",
    file: SHARED,
    from: "        else this.#part();\n",
    to: "",
  },
  {
    name: "threads_without_a_row_hold_none",
    about: "the process ends while somebody waits in a thread without a row",
    file: SHARED,
    from: `if (this.#starves) timer?.ref?.();`,
    to: `if (this.#self?.starves) timer?.ref?.();`,
  },
  {
    name: "threads_close_ends_all",
    about:
      "a thread that is closed has those that it has invited taken for dead",
    file: SHARED,
    from: "if (!this.#isClosed) this.ended(invitation);",
    to: "this.ended(invitation);",
  },
];
