import type { PoolStats, StripeStats } from "../../mod.ts";
import type { Ledger, Resource } from "./ledger.ts";
import type { Config } from "./scenario.ts";
import type { Moment, SeenClock } from "./seen_clock.ts";
import type { StepClock } from "./step_clock.ts";

/** What there is to look at. */
export interface Scene {
  readonly config: Config;
  readonly clock: StepClock;
  /** The clock as the pool sees it. */
  readonly seen: SeenClock;
  readonly ledger: Ledger;
  /** Listeners on signals that count theirs. */
  readonly listeners: number;
  readonly counted: WeakSet<AbortSignal>;
  /** Distinct signals that may have a listener of a close. */
  readonly closeSignals: ReadonlySet<AbortSignal>;
  /** By line, when it last had no more than it is to keep. */
  readonly keptSince: Moment[];
  readonly isKept: boolean[];
}

/** What holds at every moment, in the middle of a callback too. */
export function glance({ config, ledger }: Scene, stats: PoolStats): void {
  const { capacity } = ledger;
  const mistake = capacity.see(stats.stripes, ledger.epoch);
  if (mistake !== undefined) ledger.fail(`S1: ${mistake}`);
  let total = 0;
  for (let i = 0; i < config.stripes; i++) {
    const stripe = stats.stripes[i]!;
    const { idle, used, creating, destroying, pending, max } = stripe;
    const sum = idle + used + creating + destroying;
    const least = Math.min(idle, used, creating, destroying, pending);
    if (!(least >= 0)) {
      ledger.fail(`S1: stripe ${i} is ${JSON.stringify(stripe)}`);
    }
    if (max !== capacity.shares[i]) ledger.fail(`S1: stripe ${i} has ${max}`);
    total += sum;
  }
  const { idle, used, creating, destroying, max } = stats;
  if (idle + used + creating + destroying !== total || max !== capacity.max) {
    ledger.fail("S1: the sums over the stripes are wrong");
  }
  // The pool commits before it acts, so it never counts less than is there.
  if (ledger.closing.aborted) return;
  if (total < ledger.total()) {
    ledger.fail(`S6: the pool counts ${total}, there are ${ledger.total()}`);
  }
  if (creating < ledger.creates.sure() || destroying < ledger.destroying()) {
    ledger.fail("S6: a callback was called before the commit");
  }
}

/** What holds when all promises have settled and all due timers have fired. */
export function inspect(scene: Scene, stats: PoolStats): void {
  const { ledger } = scene;
  glance(scene, stats);
  compare(ledger, stats);
  checkPending(scene);
  checkChanges(scene, stats);
  noteKept(scene);
  checkIdle(scene);
  checkStripes(scene, stats);
  checkDemand(scene, stats);
  checkTold(scene);
  checkTimers(scene, stats);
  checkListeners(scene);
  const { mistake } = ledger.closing;
  if (mistake !== undefined) ledger.fail(`S6: ${mistake}`);
}

/** Under validation or reset, and still wanted. */
function busy({ validations, resets }: Ledger): Set<Resource> {
  const resources = new Set<Resource>();
  for (const { resource } of [...validations, ...resets]) {
    if (resource.destroyCalls === 0) resources.add(resource);
  }
  return resources;
}

function compare(ledger: Ledger, stats: PoolStats): void {
  let live = 0;
  for (const { isLate } of ledger.live) if (!isLate) live++;
  const used = ledger.held.size + busy(ledger).size;
  const expected: Omit<StripeStats, "max" | "waiting" | "validating"> = {
    idle: live - used,
    used,
    creating: ledger.creates.sure(),
    destroying: ledger.destroying(),
    pending: ledger.pending.size,
  };
  for (const key of Object.keys(expected) as (keyof typeof expected)[]) {
    if (stats[key] === expected[key]) continue;
    const most = key === "destroying"
      ? ledger.perhapsDestroying()
      : key === "creating"
      ? ledger.creates.most()
      : 0;
    if (stats[key] > expected[key] && stats[key] <= most) continue;
    ledger.fail(`S1: ${stats[key]} ${key} by stats, ${expected[key]} in truth`);
  }
}

function checkPending({ seen, ledger }: Scene): void {
  for (const claim of ledger.pending) {
    const { id, signal, since, timeout } = claim;
    if (signal?.aborted) ledger.fail(`#${id} does not hear its signal`);
    if (seen.least(since) >= timeout) ledger.fail(`#${id} does not time out`);
    if (ledger.closing.began) ledger.fail(`S10: #${id} pends after close`);
  }
  for (const { n, signal } of ledger.warmings) {
    if (signal?.aborted) ledger.fail("warm does not hear its signal");
    if (ledger.closing.began) ledger.fail("S10: warm pends after close");
    const isWarm = ledger.creates.lines.every((_, line) =>
      ledger.existing(line) >= ledger.stock(line)
    );
    if (isWarm) ledger.fail(`Warm: ${n} are there, and nobody is told`);
  }
  for (const { since, limit, signal } of ledger.creates.calls) {
    if (seen.least(since) >= limit && !signal.aborted) {
      ledger.fail("a create is not given up at createTimeout");
    }
  }
  for (const { since, limit } of ledger.validations) {
    if (seen.least(since) >= limit) {
      ledger.fail("a validate is not given up at validateTimeout");
    }
  }
  for (const { since, limit } of ledger.resets) {
    if (seen.least(since) >= limit) {
      ledger.fail("a reset is not given up at resetTimeout");
    }
  }
}

/** A pause is told of, a shrink is under way, evictions have asked of all. */
function checkChanges({ ledger }: Scene, stats: PoolStats): void {
  const { asked } = ledger.pauses;
  for (const { signal } of asked) {
    if (signal?.aborted) ledger.fail("a pause does not hear its signal");
    if (ledger.closing.began) ledger.fail("S10: a pause pends after close");
    if (stats.used === 0) ledger.fail("Pause: nothing is used, nobody is told");
  }
  stats.stripes.forEach(({ idle, used, creating, max }, i) => {
    if (idle === 0 || idle + used + creating <= max) return;
    ledger.fail(`Resize: stripe ${i} has too many, and ${idle} idle`);
  });
  if (ledger.closing.began) return;
  for (const { id, isLate, asked, call } of ledger.live) {
    if (!isLate && asked < call.asks) {
      ledger.fail(`Evict: nobody has asked of resource ${id}`);
    }
  }
}

function checkIdle(scene: Scene): void {
  const { config, ledger } = scene;
  const elsewhere = busy(ledger);
  for (const resource of ledger.live) {
    const { id, lostIn, isDoomed, isLate, call, uses } = resource;
    if (resource.holder !== undefined || elsewhere.has(resource)) continue;
    if (lostIn !== undefined) ledger.fail(`Lost: resource ${id} is idle`);
    if (isLate) ledger.fail(`S2: late resource ${id} is left behind`);
    if (call.clears !== ledger.clears || ledger.closing.began) {
      ledger.fail(`retired resource ${id} is idle`);
    }
    if (isDoomed) ledger.fail(`S2: resource ${id} is idle, to be destroyed`);
    if (resource.resetAfter !== undefined) {
      ledger.fail(`Reset: resource ${id} is idle without a reset`);
    }
    if (uses >= config.maxUses) {
      ledger.fail(`Uses: resource ${id} is idle after ${uses} uses`);
    }
    checkAges(scene, resource);
  }
}

/** Nothing is idle beyond its end, nor unchecked for too long. */
function checkAges(scene: Scene, resource: Resource): void {
  const { config, seen, ledger, keptSince } = scene;
  const { id, stripe, bornAt, idleSince, checkedAt } = resource;
  const line = config.isolated ? stripe : 0;
  for (const { since, within } of resource.evictions) {
    const isOver = since.failures === seen.failures &&
      seen.least(since) > within + 1;
    if (within === 0 || isOver) ledger.fail(`Evict: resource ${id} is idle`);
  }
  // Without a timer it leaves when it is met.
  if (bornAt.failures < seen.failures) return;
  // The pool's timer is set for one more than the limit.
  if (seen.least(bornAt) > config.maxLifetime + 1) {
    ledger.fail(`Lifetime: resource ${id} is idle at ${seen.least(bornAt)}`);
  }
  const kept = keptSince[line]!;
  const idle = Math.min(seen.least(idleSince), seen.least(kept));
  const isKept = ledger.existing(line) <= ledger.stock(line);
  if (!isKept && idle > config.idleTimeout + 1) {
    ledger.fail(`resource ${id} is idle for too long`);
  }
  const isChecked = config.validates && ledger.validations.size === 0 &&
    !ledger.pauses.isOn;
  // In a pause nothing is.
  const unchecked = Math.min(
    seen.least(checkedAt),
    ledger.resumedAt.time > 0 ? seen.least(ledger.resumedAt) : Infinity,
  );
  if (isChecked && unchecked > config.keepalive + 1) {
    ledger.fail(`Keepalive: resource ${id} is not checked`);
  }
}

/** Where a minimum is kept, nothing has to leave as idle. */
function noteKept({ seen, ledger, keptSince, isKept }: Scene): void {
  keptSince.forEach((_, line) => {
    const was = isKept[line];
    isKept[line] = ledger.existing(line) <= ledger.stock(line);
    // What was kept may have been so until just now.
    if (was || isKept[line]) keptSince[line] = seen.moment;
  });
}

/** Every stripe has what was created there. */
function checkStripes({ config, ledger }: Scene, stats: PoolStats): void {
  if (config.stripes === 1) return;
  const elsewhere = busy(ledger);
  const used = new Array<number>(config.stripes).fill(0);
  const idle = new Array<number>(config.stripes).fill(0);
  for (const resource of ledger.live) {
    const counts = resource.holder || elsewhere.has(resource) ? used : idle;
    counts[resource.stripe]!++;
  }
  for (let i = 0; i < config.stripes; i++) {
    const stripe = stats.stripes[i]!;
    if (stripe.used === used[i] && stripe.idle === idle[i]) continue;
    ledger.fail(
      `S2: stripe ${i} has ${stripe.used} used and ${stripe.idle} idle, ` +
        `in truth ${used[i]} and ${idle[i]}`,
    );
  }
}

/**
 * S5: who waits has a create that is coming, or nothing can be had; where growth
 * is measured, only who has waited for the usual time of a create.
 */
function checkDemand({ config, seen, ledger }: Scene, stats: PoolStats): void {
  const lines = config.isolated ? stats.stripes : [stats];
  if (ledger.pauses.isOn) return;
  let pending = 0;
  lines.forEach((line, i) => {
    const waiting = line.pending - ledger.validations.size;
    pending += line.pending;
    const { idle, used } = line;
    const spare = spareOf(
      config.isolated ? [stats.stripes[i]!] : stats.stripes,
    );
    if (waiting > 0 && idle > 0) {
      ledger.fail(`S5: ${waiting} wait while ${idle} are idle`);
    }
    const watch = ledger.creates.lines[i]!;
    if (spare === 0 || watch.isHeldBack) return;
    if (stats.creating >= config.maxCreating) return;
    const { coming } = watch;
    const covered = config.growth === "eager"
      ? waiting
      : overdue(ledger, seen, i, watch.covers) - ledger.validations.size;
    if (covered > coming) {
      ledger.fail(
        `S5: ${covered} wait for ${coming} creates, with ${spare} spare`,
      );
    }
    const lacking = ledger.kept(i) - idle - used;
    if (lacking > coming) {
      ledger.fail(`Min: ${lacking} lack, ${coming} come, with ${spare} spare`);
    }
  });
  if (pending !== stats.pending) ledger.fail("S5: the lines miss a waiter");
}

/** How many slots are spare in some stripes. */
function spareOf(stripes: readonly StripeStats[]): number {
  let spare = 0;
  for (const { idle, used, creating, destroying, max } of stripes) {
    spare += Math.max(0, max - idle - used - creating - destroying);
  }
  return spare;
}

/** How many have waited in a line for longer than this. */
function overdue(
  ledger: Ledger,
  seen: SeenClock,
  line: number,
  wait: number,
): number {
  let count = 0;
  // What was waited in a pause does not count.
  if (seen.least(ledger.resumedAt) <= wait && ledger.resumedAt.time > 0) {
    return 0;
  }
  for (const claim of ledger.pending) {
    // Without a timer nobody looks until something happens.
    if (claim.since.failures < seen.failures) continue;
    if (claim.line === line && seen.least(claim.since) > wait) count++;
  }
  return count;
}

/** Who was there before a create failed is told, if none ever succeeded. */
function checkTold({ config, ledger }: Scene): void {
  if (config.createRetry === false) return;
  ledger.creates.lines.forEach(({ rejectsBefore }, i) => {
    for (const { id, line, epoch } of ledger.pending) {
      if (line !== i || epoch >= rejectsBefore) continue;
      ledger.fail(`Outage: #${id} is not told that no create succeeds`);
    }
  });
}

function checkTimers(scene: Scene, stats: PoolStats): void {
  const { clock, ledger } = scene;
  const { closing } = ledger;
  if (clock.badDelay !== undefined) {
    ledger.fail(`a timer was set for ${clock.badDelay} ms`);
  }
  const waiting = stats.pending + ledger.warmings.size;
  if (waiting > 0 && !clock.keepsAlive) {
    ledger.fail("a pending acquire or warm does not keep the process alive");
  }
  if (waiting === 0 && !closing.began && clock.keepsAlive) {
    ledger.fail("a timer keeps the process alive for nobody");
  }
  if (!closing.settled) return;
  const { idle, used, creating, destroying, pending } = stats;
  if (idle + used + creating + destroying + pending > 0) {
    ledger.fail("S10: stats are not zero after close");
  }
  if (clock.pending > 0) {
    ledger.fail(`S10: ${clock.pending} timers are left after close`);
  }
}

/** One listener for each signal with a pending acquire or an open close. */
function checkListeners(scene: Scene): void {
  const { ledger, closeSignals, counted, listeners } = scene;
  const heard = new Set<AbortSignal>();
  for (const { signal } of ledger.pending) {
    if (signal !== undefined && counted.has(signal)) heard.add(signal);
  }
  let needed = heard.size;
  for (const { signal } of ledger.warmings) {
    if (signal !== undefined && counted.has(signal)) needed++;
  }
  for (const { signal } of ledger.pauses.asked) {
    if (signal !== undefined && counted.has(signal)) needed++;
  }
  let allowed = needed;
  if (!ledger.closing.settled) {
    for (const signal of closeSignals) {
      if (!counted.has(signal)) continue;
      allowed++;
      if (!signal.aborted) needed++;
    }
  }
  if (listeners < needed || listeners > allowed) {
    ledger.fail(`S10: ${listeners} listeners for ${needed} signals`);
  }
}
