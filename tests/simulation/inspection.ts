import type { PoolStats, StripeStats } from "../../mod.ts";
import type { Ledger, Resource } from "./ledger.ts";
import type { Config } from "./scenario.ts";
import type { SeenClock } from "./seen_clock.ts";
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
}

/** What holds at every moment, in the middle of a callback too. */
export function glance({ config, ledger }: Scene, stats: PoolStats): void {
  let total = 0;
  for (let i = 0; i < config.stripes; i++) {
    const stripe = stats.stripes[i]!;
    const { idle, used, creating, destroying, pending, max } = stripe;
    const sum = idle + used + creating + destroying;
    const least = Math.min(idle, used, creating, destroying, pending);
    if (!(least >= 0) || !(sum <= max)) {
      ledger.fail(`S1: stripe ${i} is ${JSON.stringify(stripe)}`);
    }
    if (max !== ledger.capacity(i)) ledger.fail(`S1: stripe ${i} has ${max}`);
    total += sum;
  }
  const { idle, used, creating, destroying, max } = stats;
  if (idle + used + creating + destroying !== total || max !== config.max) {
    ledger.fail("S1: the sums over the stripes are wrong");
  }
  // The pool commits before it acts, so it never counts less than is there.
  if (ledger.closing.aborted) return;
  if (total < ledger.total()) {
    ledger.fail(`S6: the pool counts ${total}, there are ${ledger.total()}`);
  }
  if (creating < ledger.creating() || destroying < ledger.destroying()) {
    ledger.fail("S6: a callback was called before the commit");
  }
}

/** What holds when all promises have settled and all due timers have fired. */
export function inspect(scene: Scene, stats: PoolStats): void {
  const { ledger } = scene;
  glance(scene, stats);
  compare(ledger, stats);
  checkPending(scene);
  checkIdle(scene);
  checkStripes(scene, stats);
  checkDemand(scene, stats);
  checkTimers(scene, stats);
  checkListeners(scene);
  const { mistake } = ledger.closing;
  if (mistake !== undefined) ledger.fail(`S6: ${mistake}`);
}

/** Under validation, and still wanted. */
function validating({ validations }: Ledger): Set<Resource> {
  const resources = new Set<Resource>();
  for (const { resource } of validations) {
    if (resource!.destroyCalls === 0) resources.add(resource!);
  }
  return resources;
}

function compare(ledger: Ledger, stats: PoolStats): void {
  let live = 0;
  for (const { signal } of ledger.live) {
    if (!ledger.isGivenUp(signal)) live++;
  }
  const used = ledger.held.size + validating(ledger).size;
  const expected: Omit<StripeStats, "max"> = {
    idle: live - used,
    used,
    creating: ledger.creating(),
    destroying: ledger.destroying(),
    pending: ledger.pending.size,
  };
  for (const key of Object.keys(expected) as (keyof typeof expected)[]) {
    if (stats[key] === expected[key]) continue;
    const most = key === "destroying" ? ledger.perhapsDestroying() : 0;
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
  for (const { since, limit, signal } of ledger.creates) {
    if (seen.least(since) >= limit && !signal!.aborted) {
      ledger.fail("a create is not given up at createTimeout");
    }
  }
  for (const { since, limit } of ledger.validations) {
    if (seen.least(since) >= limit) {
      ledger.fail("a validate is not given up at validateTimeout");
    }
  }
}

function checkIdle({ config, seen, ledger }: Scene): void {
  const busy = validating(ledger);
  for (const resource of ledger.live) {
    if (resource.holder !== undefined || busy.has(resource)) continue;
    if (ledger.isGivenUp(resource.signal)) {
      ledger.fail(`S2: late resource ${resource.id} is left behind`);
    }
    if (resource.clears !== ledger.clears || ledger.closing.began) {
      ledger.fail(`retired resource ${resource.id} is idle`);
    }
    const { idleSince } = resource;
    // Without a timer it leaves when it is met.
    if (idleSince.failures < seen.failures) continue;
    // The pool's timer is set for one more than the limit.
    if (seen.least(idleSince) > config.idleTimeout + 1) {
      ledger.fail(`resource ${resource.id} is idle for too long`);
    }
  }
}

/** Every stripe has what was created there. */
function checkStripes({ config, ledger }: Scene, stats: PoolStats): void {
  if (config.stripes === 1 || !config.observes) return;
  const busy = validating(ledger);
  const used = new Array<number>(config.stripes).fill(0);
  const idle = new Array<number>(config.stripes).fill(0);
  for (const resource of ledger.live) {
    const counts = resource.holder || busy.has(resource) ? used : idle;
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

/** S5: who waits has a create in flight, or nothing can be had. */
function checkDemand({ config, ledger }: Scene, stats: PoolStats): void {
  const lines = config.isolated ? stats.stripes : [stats];
  let pending = 0;
  for (const line of lines) {
    const waiting = line.pending - ledger.validations.size;
    pending += line.pending;
    const { idle, used, creating, destroying, max } = line;
    const spare = max - idle - used - creating - destroying;
    if (waiting > 0 && idle > 0) {
      ledger.fail(`S5: ${waiting} wait while ${idle} are idle`);
    }
    if (waiting > creating && spare > 0) {
      ledger.fail(
        `S5: ${waiting} wait for ${creating} creates, with ${spare} spare`,
      );
    }
  }
  if (pending !== stats.pending) ledger.fail("S5: the lines miss a waiter");
}

function checkTimers(scene: Scene, stats: PoolStats): void {
  const { clock, ledger } = scene;
  const { closing } = ledger;
  if (clock.badDelay !== undefined) {
    ledger.fail(`a timer was set for ${clock.badDelay} ms`);
  }
  if (stats.pending > 0 && !clock.keepsAlive) {
    ledger.fail("a pending acquire does not keep the process alive");
  }
  if (stats.pending === 0 && !closing.began && clock.keepsAlive) {
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
  let allowed = heard.size;
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
