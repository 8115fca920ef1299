import type { PoolStats } from "../../mod.ts";
import type { Event } from "./event.ts";
import {
  pending,
  type Pool,
  type StripeEffect,
  type WakeResult,
} from "./stripe.ts";
import type { Subject } from "./subject.ts";
import type { WorldStep } from "./world.ts";

/** What the model knows of a resource and the pool is to tell the observer. */
export interface Provenance {
  stripe: number;
  reason: string;
}

const COUNTS = [
  "idle",
  "used",
  "creating",
  "destroying",
  "pending",
  "max",
] as const;

/** The first thing in which pool and model differ after an event, if any. */
export function difference(
  subject: Subject,
  event: Event,
  step: WorldStep,
  known: ReadonlyMap<number, Provenance>,
  observed: boolean,
): string | undefined {
  const { seen } = subject;
  const { pool } = step.world;
  return countsDiffer(subject, pool) ??
    differ("creates", seen.creates, ofKind(step, "Create").length) ??
    destroysDiffer(subject, event, step) ??
    differ(
      "validates",
      seen.validates.join(),
      ofKind(step, "Validate").map(({ resource }) => resource).join(),
    ) ??
    settledDiffer(subject, event, step) ??
    closedDiffers(subject, step) ??
    (observed ? toldDiffers(subject, event, step, known) : undefined) ??
    timersDiffer(subject, pool) ??
    seen.faults[0];
}

function differ(
  what: string,
  seen: string | number,
  due: string | number,
): string | undefined {
  if (seen === due) return undefined;
  return `${what}: the pool has ${seen || "none"}, the model ${due || "none"}`;
}

function ofKind<K extends StripeEffect["kind"]>(
  { effects }: WorldStep,
  kind: K,
): Extract<StripeEffect, { kind: K }>[] {
  return effects.filter((effect) => effect.kind === kind) as Extract<
    StripeEffect,
    { kind: K }
  >[];
}

function countsDiffer({ pool, seen }: Subject, due: Pool): string | undefined {
  const fault = statsDiffer(pool.stats(), due);
  if (fault !== undefined || seen.committed === undefined) return fault;
  return statsDiffer(seen.committed, due);
}

function statsDiffer(stats: PoolStats, due: Pool): string | undefined {
  const waiters = pending(due);
  if (stats.pending !== waiters.length) {
    return differ("pending", stats.pending, waiters.length);
  }
  for (const stripe of due.stripes) {
    const counts = stats.stripes[stripe.id]!;
    const expected = {
      idle: stripe.idle.length,
      used: stripe.leased.length + stripe.validating.length,
      creating: stripe.creating.length,
      destroying: stripe.destroying.length,
      pending: waiters.filter(({ line }) => line === stripe.line).length,
      max: stripe.capacity,
    };
    for (const name of COUNTS) {
      if (counts[name] === expected[name]) continue;
      const what = `${name} of stripe ${stripe.id}`;
      return differ(what, counts[name], expected[name]);
    }
  }
}

/** The order matters within a stripe; that of clear and close is open. */
function destroysDiffer(
  { seen }: Subject,
  event: Event,
  step: WorldStep,
): string | undefined {
  const due = ofKind(step, "Destroy");
  if (due.length < 2 && seen.destroys.length < 2) {
    return differ(
      "destroys",
      seen.destroys.join(),
      due.map((d) => d.resource).join(),
    );
  }
  const stripes = new Map(due.map((d) => [d.resource, d.stripe]));
  const isOpen = event.kind === "clear" || event.kind === "close" ||
    event.kind === "abandon";
  const inOrder = (all: readonly number[]) =>
    (isOpen ? [...all].sort() : [...all])
      .sort((a, b) => stripes.get(a)! - stripes.get(b)!).join();
  return differ(
    "destroys",
    inOrder(seen.destroys),
    inOrder([...stripes.keys()]),
  );
}

function settledDiffer(
  { seen }: Subject,
  event: Event,
  step: WorldStep,
): string | undefined {
  const due = ofKind(step, "Wake").map(({ waiter, result }) =>
    `${waiter.client} ${outcome(event, waiter.client, result)}`
  );
  // Whether takers or those in line are rejected first is open.
  return event.kind === "close"
    ? differ("settled", seen.settled.sort().join(), due.sort().join())
    : differ("settled", seen.settled.join(), due.join());
}

function outcome(event: Event, client: number, result: WakeResult): string {
  switch (result.kind) {
    case "Deliver":
      return `gets ${result.resource}`;
    case "Failed": {
      if (result.error === "full") return "fails: full";
      if (result.error === "timeout") return "fails: create timeout";
      return `fails: create ${"id" in event ? event.id : "?"}`;
    }
    case "Cancelled": {
      if (event.kind === "tryAcquire") return "gets nothing";
      if (result.reason === "abort") return `fails: abort ${client}`;
      if (result.reason === "closed") return "fails: closed";
      return "fails: acquire timeout";
    }
  }
}

function closedDiffers({ seen }: Subject, step: WorldStep): string | undefined {
  const [due] = ofKind(step, "Closed").map(({ failures }) =>
    failures === 0 ? "well" : `with ${failures} errors`
  );
  return differ("closed", seen.closed ?? "", due ?? "");
}

function toldDiffers(
  { seen }: Subject,
  event: Event,
  step: WorldStep,
  known: ReadonlyMap<number, Provenance>,
): string | undefined {
  const of = (id: number) => known.get(id)!;
  const due: string[] = [];
  switch (event.kind) {
    case "created":
      due.push(`created ${event.id} at ${event.stripe}`);
      break;
    case "createFails":
    case "createTimesOut":
      due.push(`createFailed at ${event.stripe}`);
      break;
    case "abandon":
      for (const { stripe } of ofKind(step, "Report")) {
        due.push(`createFailed at ${stripe}`);
      }
      break;
    case "lateCreated": {
      const how = event.id % 2 === 0 ? "well" : "badly";
      due.push(`destroyed ${event.id} at ${of(event.id).stripe} ${how}: late`);
      break;
    }
    case "destroyed":
    case "destroyThrows":
    case "destroyTimesOut": {
      const how = event.kind === "destroyed" ? "well" : "badly";
      const { reason } = of(event.resource);
      const where = `${event.resource} at ${event.stripe}`;
      due.push(`destroyed ${where} ${how}: ${reason}`);
      break;
    }
    case "release":
      due.push(`released ${event.resource}`);
  }
  return differ("told", seen.told.sort().join(), due.sort().join());
}

/** Each call is limited; what is set matches what is pending and idle. */
function timersDiffer(subject: Subject, pool: Pool): string | undefined {
  const timers = subject.timers();
  const count = (place: "creating" | "destroying" | "validating") =>
    pool.stripes.reduce((n, stripe) => n + stripe[place].length, 0);
  const waiting = pending(pool).length;
  const isIdle = pool.stripes.some((stripe) => stripe.idle.length > 0);
  const isOver = pool.closed &&
    pool.stripes.every((stripe) => stripe.spare === stripe.capacity);
  return differ("create timers", timers.create, count("creating")) ??
    differ("destroy timers", timers.destroy, count("destroying")) ??
    differ("validate timers", timers.validate, count("validating")) ??
    differ("acquire timers", timers.acquire, Math.min(waiting, 1)) ??
    (isIdle && timers.idle !== 1 || pool.closed && timers.idle > 0
      ? `idle timers: the pool has ${timers.idle}`
      : undefined) ??
    (pool.closed && !isOver
      ? undefined
      : differ("abort listeners", subject.listeners, waiting));
}
