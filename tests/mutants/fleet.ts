import type { Mutant } from "./mutant.ts";

const BOOK = "src/fleet/book.ts";
const TENURE = "src/fleet/tenure.ts";
const CORRESPONDENCE = "src/fleet/correspondence.ts";
const BUDGET = "src/fleet/fleet_budget.ts";
const POSTGRES = "src/fleet/postgres_ledger.ts";
const REDIS = "src/fleet/redis_ledger.ts";
const KV = "src/fleet/deno_kv_ledger.ts";

export const FLEET: readonly Mutant[] = [
  // What stands in the book.
  {
    name: "fleet_floors_are_free",
    about: "floors are not reserved out of max",
    file: BOOK,
    from: "left -= Math.max(0, floor - held);",
    to: "",
  },
  {
    name: "fleet_block_is_never_given_back",
    about: "what a member has given up stays in its account",
    file: BOOK,
    from: "Math.min(own.block, report.block)",
    to: "own.block",
  },
  {
    name: "fleet_rest_goes_by_wants",
    about: "what is over of a fair share goes to who wants most just now",
    file: BOOK,
    from: "if (other.wants >= wants && other.fence > own.fence) place++;",
    to: "if (other.wants > own.wants) place++;",
  },
  {
    name: "fleet_takes_all",
    about: "a member takes its share whether it is left or not",
    file: BOOK,
    from: "kept + Math.min(lacks, left)",
    to: "kept + lacks",
  },
  {
    name: "fleet_old_lease_counts",
    about: "a lease that has lapsed is taken up again",
    file: BOOK,
    from: "own.fence > 0;",
    to: "own.fence >= 0;",
  },
  {
    name: "fleet_lapse_of_another_beat",
    about: "a member lapses that has written since it was judged",
    file: BOOK,
    from: "if (account?.beat !== beat) continue;",
    to: "if (account === undefined) continue;",
  },
  {
    name: "fleet_floor_lapses_with_block",
    about: "the floor of one that is cut off is given away",
    file: BOOK,
    from: "if (isWhole || account.floor === 0) left.delete(id);",
    to: "if (beat > 0) left.delete(id);",
  },
  {
    name: "fleet_first_come_first_served",
    about: "who wants most is served first",
    file: BOOK,
    from: "[...crowds].sort(([a], [b]) => a - b)",
    to: "[...crowds].sort(([a], [b]) => b - a)",
  },
  {
    name: "fleet_leases_of_a_crowd_are_short",
    about: "many members write as often as few",
    file: BOOK,
    from: "Math.max(1, Math.sqrt(members / CROWD))",
    to: "Math.min(1, members * CROWD)",
  },
  {
    name: "fleet_last_has_no_more",
    about: "what is left by equal shares is nobody's",
    file: BOOK,
    from:
      "return part + Number(placeOf(own, wants, book) < left - part * rest);",
    to: "return part;",
  },
  // What a member may use.
  {
    name: "fleet_lease_from_the_answer",
    about: "a lease never ends by the member's own clock",
    file: TENURE,
    from: "[began + ttl, began + floorTtl]",
    to: "[Infinity, began + floorTtl]",
  },
  {
    name: "fleet_floor_for_ever",
    about: "the floor of one that is cut off never ends",
    file: TENURE,
    from: "[began + ttl, began + floorTtl]",
    to: "[began + ttl, Infinity]",
  },
  {
    name: "fleet_impatient",
    about: "others are not waited for at all",
    file: TENURE,
    from: "waited < due",
    to: "waited < 0",
  },
  {
    name: "fleet_patient_for_ever",
    about: "who has died is waited for for ever",
    file: TENURE,
    from: "waited < due",
    to: "waited < Infinity",
  },
  {
    name: "fleet_read_is_enough",
    about: "what can be read is used without a write of its own",
    file: TENURE,
    from: "Math.min(block, own?.block ?? 0)",
    to: "own?.block ?? 0",
  },
  {
    name: "fleet_floor_left_is_written_again",
    about: "each turn takes the block of one of whom only the floor is left",
    file: TENURE,
    from: "fence > 0 ? ttl : floorTtl",
    to: "ttl",
  },
  {
    name: "fleet_remembers_others_after_a_cut",
    about: "one that was cut off takes what others have who were cut off too",
    file: TENURE,
    from: "this.isLeased(now) ? this.standing.readings : []",
    to: "this.standing.readings",
  },
  {
    name: "fleet_seen_is_heard",
    about: "who is read again counts as heard of",
    file: TENURE,
    from: "this.isLeased(now) ? this.standing.readings : []",
    to: "this.isLeased(now) ? [] : []",
  },
  {
    name: "fleet_keeps_more_than_its_share",
    about: "who has more than its share does not come down",
    file: TENURE,
    from: "floor + Math.min(block, share)",
    to: "floor + block",
  },
  // Reading and writing.
  {
    name: "fleet_waits_for_the_beat",
    about: "what a member lacks is written with its next renewal",
    file: CORRESPONDENCE,
    from: "|| own.wants < next.wants",
    to: "",
  },
  {
    name: "fleet_lost_answer_waits",
    about: "after a lost answer nothing is written before the next renewal",
    file: CORRESPONDENCE,
    from: "next.floor + next.block !== this.#tenure.permits ||",
    to: "",
  },
  {
    name: "fleet_hastens_with_nothing_new",
    about: "who lacks something writes whenever its pools change",
    file: CORRESPONDENCE,
    from: "&& this.#isNews)",
    to: ")",
  },
  {
    name: "fleet_reads_in_vain",
    about: "who has read in vain reads again as soon",
    file: CORRESPONDENCE,
    from: "this.#turnWithin(parts, 2 ** this.#idles)",
    to: "this.#turnWithin(parts)",
  },
  {
    name: "fleet_reads_its_own_write",
    about: "its own write is news to a member",
    file: CORRESPONDENCE,
    from: "if (news === this.#version) return;",
    to: "",
  },
  {
    name: "fleet_deaf",
    about: "what was heard during a turn is forgotten",
    file: CORRESPONDENCE,
    from:
      "this.#wake(isDone ? this.#beatAt - now : this.#retry());\n    this.#hear();",
    to:
      "this.#wake(isDone ? this.#beatAt - now : this.#retry());\n    this.#news = undefined;",
  },
  {
    name: "fleet_hangs_with_the_ledger",
    about: "a call that hangs is waited for for ever",
    file: CORRESPONDENCE,
    from: "Promise.race([call, late])",
    to: "call",
  },
  {
    name: "fleet_leaves_its_account",
    about: "a close leaves what it had until it lapses",
    file: CORRESPONDENCE,
    from: "[() => this.#leave(), () => this.#within(unwatch())]",
    to: "[() => this.#within(unwatch())]",
  },
  {
    name: "fleet_lends_nothing",
    about: "what is idle stays where it is though others lack",
    file: CORRESPONDENCE,
    from: "if (this.#areOthersShort) this.#author.lend",
    to: "if (this.#isOver) this.#author.lend",
  },
  // Between the pools and the tenure.
  {
    name: "fleet_trusts_its_timer",
    about: "after a standstill it creates until the timer fires",
    file: BUDGET,
    from:
      "if (this.#wasLeased && !this.#tenure.isLeased(now)) this.#settle(now);",
    to: "",
  },
  {
    name: "fleet_keeps_what_was_let_go",
    about: "what is let go while a write is on its way stays in the book",
    file: BUDGET,
    from: "    this.#lower();\n    if (!wasLeased",
    to: "    if (!wasLeased",
  },
  {
    name: "fleet_lines_stay_stopped",
    about: "a line that had to yield creates nothing when it may again",
    file: BUDGET,
    from: "member.yieldTo(Infinity);",
    to: "",
  },
  {
    name: "fleet_replaces_what_is_lost",
    about: "one that is cut off makes anew what is lost",
    file: "src/core/line.ts",
    from: "      this.#yieldsTo > -Infinity &&\n",
    to: "",
  },
  {
    name: "fleet_closes_over_its_pools",
    about: "a close does not wait for its pools",
    file: BUDGET,
    from: "if (this.#away < this.#max) {",
    to: "if (this.#away < 0) {",
  },
  {
    name: "fleet_joins_what_is_closed",
    about: "pools that join a budget after its end wait for permits in vain",
    file: BUDGET,
    from:
      'if (this.#isClosing) throw new Error("Cannot join budget as it is closed");',
    to: "",
  },
  {
    name: "fleet_any_ledger",
    about: "what is no ledger is found out when the first pool joins",
    file: BUDGET,
    from: "check.that(`ledger.${name}`, ledger[name], FUNCTION);",
    to: "",
  },
  // The engines.
  {
    name: "fleet_postgres_keeps_a_lost_client",
    about: "a lost connection is asked again",
    file: POSTGRES,
    from: "if (this.#client === client) this.#client = undefined;",
    to: "",
  },
  {
    name: "fleet_postgres_keeps_a_failed_client",
    about: "a connection whose query failed is asked again",
    file: POSTGRES,
    from: "if (this.#client === connected) this.#client = undefined;",
    to: "",
  },
  {
    name: "fleet_queries_at_once",
    about: "a client of pg is asked for several things at once",
    file: POSTGRES,
    from: "this.#last.then(() => client.query(...query))",
    to: "client.query(...query)",
  },
  {
    name: "fleet_postgres_ends_for_all",
    about: "one budget of a ledger that closes ends it for the others",
    file: POSTGRES,
    from: "if (this.#watchers.size > 0) return;",
    to: "",
  },
  {
    name: "fleet_postgres_stays_closed",
    about: "a ledger that was closed serves no other budget",
    file: POSTGRES,
    from: "    this.#isClosed = false;\n",
    to: "",
  },
  {
    name: "fleet_postgres_stays_without_row",
    about: "where the row was deleted no member is served any more",
    file: POSTGRES,
    from: "    await this.#query(INSERT, [this.#name]);\n",
    to: "",
  },
  {
    name: "fleet_postgres_long_names",
    about: "a name that is too long for a channel is found out by the server",
    file: POSTGRES,
    from: "length > LONGEST",
    to: "length > 2 * LONGEST",
  },
  {
    name: "fleet_redis_prefixes_its_channel",
    about: "what a client with a prefix writes is not heard of",
    file: REDIS,
    from: "[key, version, value, key]",
    to: "[key, version, value]",
  },
  {
    name: "fleet_redis_listens_once",
    about: "who found the server gone at first never listens",
    file: REDIS,
    from: 'subscriber.on("ready", attend);',
    to: "",
  },
  {
    name: "fleet_bun_listens_once",
    about: "after it has connected again, Bun's client does not listen",
    file: REDIS,
    from: ".then(() => attend(subscriber))",
    to: "",
  },
  {
    name: "fleet_bun_listens_twice",
    about:
      "after it has connected again, Bun's client calls the listener twice",
    file: REDIS,
    from: "await subscriber.unsubscribe(key);",
    to: "",
  },
  {
    name: "fleet_redis_always_wins",
    about: "a swap that came too late counts as done",
    file: REDIS,
    from: "next === null ? undefined",
    to: "next === 0 ? undefined",
  },
  {
    name: "fleet_kv_lock_is_a_failure",
    about: "a database that is locked for a moment is told as a failure",
    file: KV,
    from: "/database is locked/.test(`${error}`)",
    to: "/database was locked/.test(`${error}`)",
  },
];
