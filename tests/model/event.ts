import type { StripeEffect } from "./stripe.ts";

/**
 * What can happen to a pool from outside. `acquireNow` is an acquire with
 * `timeout: 0`; a sweep is the idle timer, on time or not. `bad` is how many resources a
 * synchronous `validate` says no to before it says yes.
 */
export type Event =
  | {
    readonly kind: "acquire" | "acquireNow" | "tryAcquire";
    readonly client: number;
    readonly home: number | undefined;
    readonly bad: number;
  }
  | {
    readonly kind: "release";
    readonly stripe: number;
    readonly client: number;
    readonly resource: number;
    readonly bad: number;
  }
  | {
    readonly kind: "destroy";
    readonly stripe: number;
    readonly client: number;
  }
  | {
    readonly kind: "cancel" | "acquireTimesOut";
    readonly client: number;
  }
  | {
    readonly kind: "created" | "createFails" | "createTimesOut";
    readonly stripe: number;
    readonly id: number;
  }
  | { readonly kind: "lateCreated" | "lateCreateFails"; readonly id: number }
  | {
    readonly kind: "destroyed" | "destroyThrows" | "destroyTimesOut";
    readonly stripe: number;
    readonly resource: number;
  }
  | {
    readonly kind: "valid" | "invalid" | "validateThrows" | "validateTimesOut";
    readonly stripe: number;
    readonly resource: number;
  }
  | { readonly kind: "tick" | "sweep" | "clear" | "close" | "abandon" };

/** Events that end something begun; the liveness properties rely on these alone. */
const ENDS: ReadonlySet<Event["kind"]> = new Set<Event["kind"]>([
  "release",
  "destroy",
  "created",
  "createFails",
  "createTimesOut",
  "destroyed",
  "destroyThrows",
  "destroyTimesOut",
  "valid",
  "invalid",
  "validateThrows",
  "validateTimesOut",
]);

export function isEnd(event: Event): boolean {
  return ENDS.has(event.kind);
}

/** The event in words. */
export function describe(event: Event): string {
  switch (event.kind) {
    case "acquire":
    case "acquireNow":
    case "tryAcquire": {
      const where = event.home === undefined ? "" : ` at stripe ${event.home}`;
      return `client ${event.client} calls ${event.kind}${where}${
        verdicts(event.bad)
      }`;
    }
    case "release":
      return `client ${event.client} releases${verdicts(event.bad)}`;
    case "destroy":
      return `client ${event.client} destroys its resource`;
    case "cancel":
      return `the acquire of client ${event.client} is aborted`;
    case "acquireTimesOut":
      return `the acquire of client ${event.client} times out`;
    case "created":
      return `create ${event.id} of stripe ${event.stripe} resolves`;
    case "createFails":
      return `create ${event.id} of stripe ${event.stripe} rejects`;
    case "createTimesOut":
      return `create ${event.id} of stripe ${event.stripe} times out`;
    case "lateCreated":
      return `the abandoned create ${event.id} resolves`;
    case "lateCreateFails":
      return `the abandoned create ${event.id} rejects`;
    case "destroyed":
      return `destroy of resource ${event.resource} resolves`;
    case "destroyThrows":
      return `destroy of resource ${event.resource} rejects`;
    case "destroyTimesOut":
      return `destroy of resource ${event.resource} times out`;
    case "valid":
      return `resource ${event.resource} is valid`;
    case "invalid":
      return `resource ${event.resource} is invalid`;
    case "validateThrows":
      return `validate of resource ${event.resource} rejects`;
    case "validateTimesOut":
      return `validate of resource ${event.resource} times out`;
    case "tick":
      return "a tick passes";
    case "sweep":
      return "the idle timer fires";
    case "clear":
    case "close":
      return `${event.kind} is called`;
    case "abandon":
      return "the signal of close aborts";
  }
}

function verdicts(bad: number): string {
  return bad === 0 ? "" : ` (validate refuses ${bad} first)`;
}

/** An effect in words. */
export function describeEffect(effect: StripeEffect): string {
  switch (effect.kind) {
    case "Wake": {
      const who = `client ${effect.waiter.client}`;
      const { result } = effect;
      if (result.kind === "Deliver") {
        return `${who} gets resource ${result.resource}`;
      }
      return result.kind === "Failed"
        ? `${who} fails: ${result.error}`
        : `${who} is cancelled: ${result.reason}`;
    }
    case "Create":
      return `create ${effect.id} for stripe ${effect.stripe}`;
    case "Validate":
      return `validate resource ${effect.resource}`;
    case "Destroy":
      return `destroy resource ${effect.resource} (${effect.reason})`;
    case "Report":
      return `report: ${effect.error}`;
    case "Closed":
      return `closed, ${effect.failures} destroys failed`;
  }
}
