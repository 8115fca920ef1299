import type { Mutant } from "./mutant.ts";

const FRONT = "src/leaks/front.ts";
const TRACE = "src/trace.ts";
const WATCHER = "src/leaks/watcher.ts";

export const LEAKS: readonly Mutant[] = [
  {
    name: "leak_told_again",
    about: "a lease that was told of is told of at each due time",
    file: WATCHER,
    from: `      this.#untold.delete(hold);
      // An aborted`,
    to: `      // An aborted`,
  },
  {
    name: "leak_late_by_one",
    about: "a lease held for just as long as it may is not told of",
    file: WATCHER,
    from: `      if (now < this.#dueOf(hold))`,
    to: `      if (now <= this.#dueOf(hold))`,
  },
  {
    name: "leak_no_next_due",
    about: "after one look at the leases there is no other",
    file: WATCHER,
    from: `return this.#expect(hold);
      this`,
    to: `return;
      this`,
  },
  {
    name: "leak_told_of_ended",
    about: "a lease that has ended is told of",
    file: WATCHER,
    from: `    this.#holds.delete(entry);
    this.#untold.delete(hold);
    this.#registry`,
    to: `    this.#holds.delete(entry);
    this.#registry`,
  },
  {
    name: "leak_names_ended",
    about: "a lease that has ended is named as a holder",
    file: WATCHER,
    from: `    this.#holds.delete(entry);
    this.#untold.delete(hold);
    this.#registry`,
    to: `    this.#untold.delete(hold);
    this.#registry`,
  },
  {
    name: "leak_told_of_taken_back",
    about: "a lease that an aborted close took back is told of",
    file: WATCHER,
    from: `      if (hold.entry.place === "used") this.#tell(hold, now);`,
    to: `      this.#tell(hold, now);`,
  },
  {
    name: "leak_close_forgets_told",
    about: "a close does not tell of those that were told of",
    file: WATCHER,
    from: `    this.#untold = new Set(this.#holds.values());
`,
    to: ``,
  },
  {
    name: "leak_close_untells",
    about: "a close has what was told as leaked shown as if it were not",
    file: WATCHER,
    from: `    this.#untold = new Set(this.#holds.values());
`,
    to: `    this.#untold = new Set(this.#holds.values());
    for (const hold of this.#untold) hold.isTold = false;
`,
  },
  {
    name: "leak_close_at_once",
    about: "a close tells at once of those that are held for long",
    file: WATCHER,
    from: `Math.max(since, this.#closedAt)`,
    to: `since`,
  },
  {
    name: "leak_names_other_lines",
    about: "a timeout names the holders of other lines",
    file: WATCHER,
    from: ` || !isOf(entry.stripe)`,
    to: ``,
  },
  {
    name: "leak_names_all",
    about: "a timeout names all holders",
    file: WATCHER,
    from: `      if (holders.length === limit) break;
`,
    to: ``,
  },
  {
    name: "leak_collected_kept",
    about: "the resource of a collected lease is not destroyed",
    file: WATCHER,
    from: `    this.#pool.destroy(entry, "leaked");
`,
    to: ``,
  },
  {
    name: "leak_collected_released",
    about: "the resource of a collected lease is used again",
    file: WATCHER,
    from: `    this.#pool.destroy(entry, "leaked");`,
    to: `    this.#lessor.release(entry, false);`,
  },
  {
    name: "leak_told_of_collected_after_close",
    about: "a lease that an aborted close took back is told of when collected",
    file: WATCHER,
    from: `this.#untold.delete(hold) && entry.place === "used"`,
    to: `this.#untold.delete(hold)`,
  },
  {
    name: "leak_hold_keeps_lease",
    about: "the books lead to the lease, which is never collected",
    file: WATCHER,
    from: "const hold = { entry, since, trace, isTold: false };",
    to: "const hold = { entry, since, trace, isTold: false, lease };",
  },
  {
    name: "leak_stack_of_pool",
    about: "the stack begins with the pool's own method",
    file: TRACE,
    from:
      `  for (let n = 0; n < depth && METHOD.test(lines[0] ?? ""); n++) lines.shift();
`,
    to: ``,
  },
  {
    name: "leak_sample_aliased",
    about: "every fourth call is in the sample, whoever makes it",
    file: FRONT,
    from: `(Math.sqrt(5) - 1) / 2`,
    to: `1 / 4`,
  },
  {
    name: "leak_use_names_its_callback",
    about: "what the callback of a use throws gets the stack of the use",
    file: FRONT,
    from: `      trace = undefined;
`,
    to: ``,
  },
  {
    name: "leak_failed_lost",
    about: "that a use failed is not passed on",
    file: WATCHER,
    from: `    this.#lessor.release(entry, failed);`,
    to: `    this.#lessor.release(entry, false);`,
  },
];
