import { type Hazard, ON } from "./hazards.ts";

/** What a simulation is to meet; a kind that is never hit proves nothing. */
export const FAULTS = [
  "acquire: in a burst",
  "acquire: while holding",
  "acquire: served at once",
  "acquire: served after waiting",
  "acquire: timeout 0 refused",
  "acquire: timed out",
  "acquire: timed out because of a create",
  "acquire: refused as full",
  "acquire: refused as closed",
  "acquire: rejected by close",
  "acquire: rejected by a failed create",
  "acquire: rejected as none ever succeeded",
  "acquire: rejected by a lost create",
  "acquire: signal aborted before",
  "acquire: signal aborted while waiting",
  "acquire: signal aborted after it settled",
  "acquire: one abort cancels several",
  "acquire: abort and hand-over in one tick",
  "acquire: string affinity",
  "acquire: overtakes by its priority",
  "acquire: shed",
  "shed: its judge throws",
  "tryAcquire: leased",
  "tryAcquire: nothing to lease",
  "use: callback throws",
  "use: throws, not fatal",
  "use: isFatal throws",
  "use: isFatal of the call",
  "lease: ended twice",
  "lease: stale end while another holds the resource",
  "lease: destroyed by its holder",
  "lease: resource died in use",
  "lease: taken back by an aborted close",
  "lease: detached",
  "lease: detached when it has ended",
  "create: at once",
  "create: by promise",
  "create: by thenable",
  "create: slow",
  "create: throws",
  "create: rejects",
  "create: rejects late in time",
  "create: hangs",
  "create: given up at createTimeout",
  "create: comes after createTimeout",
  "create: heeds its signal",
  "create: given up by an aborted close",
  "destroy: throws",
  "destroy: rejects",
  "destroy: slow",
  "destroy: slow, then rejects",
  "destroy: hangs",
  "destroy: settles after destroyTimeout",
  "validate: finds a dead resource",
  "validate: calls a dead resource good",
  "validate: calls a good resource dead",
  "validate: throws",
  "validate: rejects",
  "validate: slow",
  "validate: hangs",
  "validate: settles after validateTimeout",
  "validate: taker gone meanwhile",
  "observer: throws",
  "observer: rejects",
  "re-entry: from create",
  "re-entry: from destroy",
  "re-entry: from validate",
  "re-entry: from reset",
  "re-entry: from a predicate",
  "re-entry: from an observer",
  "re-entry: acquire",
  "re-entry: tryAcquire",
  "re-entry: release or destroy",
  "re-entry: abort",
  "re-entry: clear",
  "re-entry: close",
  "re-entry: lost",
  "re-entry: resize",
  "re-entry: pause or its end",
  "re-entry: evict",
  "re-entry: detach",
  "destroy: as idle",
  "destroy: as lifetime",
  "destroy: as uses",
  "destroy: as invalid",
  "destroy: as lost",
  "destroy: as reset",
  "destroy: as clear",
  "destroy: as close",
  "destroy: as lease",
  "destroy: as late",
  "destroy: as evict",
  "destroy: as resize",
  "lost: idle",
  "lost: in use",
  "lost: several at once",
  "lost: under validate",
  "lost: under reset",
  "lost: while created",
  "lost: when gone",
  "reset: slow",
  "reset: throws",
  "reset: rejects",
  "reset: hangs",
  "reset: settles after resetTimeout",
  "reset: after a use that threw",
  "outage: begins",
  "outage: ends",
  "outage: the server is down",
  "outage: the server is full",
  "warm: resolves",
  "warm: rejected by a failed create",
  "warm: rejected by close",
  "warm: signal aborted",
  "evict: now",
  "evict: spread over time",
  "evict: asks of one that was being created",
  "evict: its predicate throws",
  "evict: its predicate calls the pool",
  "pause: resolves",
  "pause: while leases are out",
  "pause: in another",
  "pause: signal aborted",
  "pause: rejected by close",
  "pause: ended twice",
  "pool: resized up",
  "pool: resized down",
  "pool: resized below what is out",
  "pool: idle in turn",
  "pool: clear",
  "pool: clear with a create in flight",
  "pool: close",
  "pool: close while leases are out",
  "pool: close while acquires are pending",
  "pool: close while creating",
  "pool: close again",
  "pool: close with an aborted signal",
  "pool: close aborted later",
  "pool: close rejects with one error",
  "pool: close rejects with several errors",
  "pool: frozen for hours",
  "pool: over 16 stripes",
  "pool: isolated stripes",
  "clock: steps back",
  "clock: stands still",
  "clock: reads no number",
  "clock: throws",
  "clock: sets no timer",
  "acquire: rejected by the clock",
  "create: given up without a timer",
  "re-entry: from a signal",
  "re-entry: aborted close",
  "signal: abort event without an abort",
] as const;

export type Fault = typeof FAULTS[number];

/** Faults that are met only with a hazard, or either of two. */
const OF_HAZARDS: ReadonlyMap<Fault, readonly Hazard[]> = new Map<
  Fault,
  readonly Hazard[]
>([
  ["clock: steps back", ["skew"]],
  ["clock: stands still", ["skew"]],
  ["clock: reads no number", ["readings"]],
  ["clock: throws", ["readings"]],
  ["clock: sets no timer", ["timers"]],
  ["acquire: rejected by the clock", ["readings", "timers"]],
  ["create: given up without a timer", ["timers"]],
  ["re-entry: from a signal", ["listeners"]],
  ["re-entry: aborted close", ["closes"]],
  ["signal: abort event without an abort", ["dispatch"]],
]);

/** How often each fault was met that can be, with some hazards on. */
export class Tally {
  readonly #counts: Map<Fault, number> = new Map(FAULTS.map((f) => [f, 0]));
  readonly #faults: readonly Fault[];

  constructor(hazards: readonly Hazard[] = ON) {
    this.#faults = FAULTS.filter((fault) =>
      OF_HAZARDS.get(fault)?.some((hazard) => hazards.includes(hazard)) ?? true
    );
  }

  hit(fault: Fault): void {
    this.#counts.set(fault, this.#counts.get(fault)! + 1);
  }

  /** Those never met. */
  get missing(): Fault[] {
    return this.#faults.filter((fault) => this.#counts.get(fault) === 0);
  }

  toString(): string {
    return this.#faults.map((fault) =>
      `${String(this.#counts.get(fault)).padStart(11)}  ${fault}`
    ).join("\n");
  }
}
