import { assertEquals, assertMatch } from "@std/assert";
import type { Lease } from "../../mod.ts";
import { test } from "../test.ts";
import { generate, NO_POLICY } from "./generator.ts";
import { type Call, type Claim, Ledger, type Resource } from "./ledger.ts";
import { NO_PRESSURE } from "./pressure.ts";
import type { Config } from "./scenario.ts";
import { SeenClock } from "./seen_clock.ts";
import { StepClock } from "./step_clock.ts";
import { Tally } from "./tally.ts";

/** The books of one stripe whose resources are validated. */
class Books {
  readonly ledger: Ledger;
  readonly clock: StepClock = new StepClock();
  #ids = 0;

  constructor() {
    const config: Config = {
      ...generate(1).config,
      ...NO_POLICY,
      ...NO_PRESSURE,
      ...{ max: 8, stripes: 1, isolated: false, validates: true },
      ...{ createTimeout: Infinity, validateTimeout: Infinity },
    };
    const clock = new SeenClock(this.clock, () => undefined);
    this.ledger = new Ledger(config, clock, new Tally());
  }

  create(): Resource {
    const { signal } = new AbortController();
    return this.ledger.created(this.ledger.createCalled(signal, 0));
  }

  arrive(priority = 0): Claim {
    const { ledger } = this;
    const id = this.#ids++;
    return ledger.arrive(id, Infinity, undefined, undefined, priority);
  }

  /** So many who each have a resource under validation. */
  takers(count: number): { claim: Claim; call: Call; resource: Resource }[] {
    return Array.from({ length: count }, () => {
      const [claim, resource] = [this.arrive(), this.create()];
      return {
        claim,
        resource,
        call: this.ledger.validateCalled(resource, undefined),
      };
    });
  }

  /** The verdict is bad: its taker is in the line again. */
  sendBack({ call, resource }: { call: Call; resource: Resource }): void {
    this.ledger.judged(call, false);
    this.ledger.destroyed(
      this.ledger.destroyCalled(resource, "invalid", undefined),
    );
  }

  deliver(claim: Claim, resource: Resource): void {
    claim.lease = {} as Lease<Resource>;
    this.ledger.delivered(claim, resource);
  }
}

test("oracle: who was offered one before others came back to the line may get it later", () => {
  const books = new Books();
  const { ledger } = books;
  const [first, second, third] = books.takers(3);
  ledger.endEpoch();
  books.sendBack(first!);
  books.sendBack(second!);
  ledger.endEpoch();
  ledger.endEpoch();
  ledger.judged(third!.call, true);
  books.deliver(third!.claim, third!.resource);
  ledger.endEpoch();
  assertEquals(ledger.violation, undefined);
});

test("oracle: who is offered one after another came back to the line overtakes", () => {
  const books = new Books();
  const { ledger } = books;
  const [first] = books.takers(1);
  const later = books.arrive();
  ledger.endEpoch();
  books.sendBack(first!);
  ledger.endEpoch();
  const resource = books.create();
  const call = ledger.validateCalled(resource, undefined);
  ledger.endEpoch();
  ledger.judged(call, true);
  books.deliver(later, resource);
  ledger.endEpoch();
  assertMatch(ledger.violation ?? "", /^S4: #1 overtook 1 /);
});

test("oracle: who gets a new one while another is back in the line overtakes", () => {
  const books = new Books();
  const { ledger } = books;
  const [first] = books.takers(1);
  const later = books.arrive();
  ledger.endEpoch();
  books.sendBack(first!);
  ledger.endEpoch();
  books.deliver(later, books.create());
  ledger.endEpoch();
  assertMatch(ledger.violation ?? "", /^S4: #1 overtook 1 /);
});

test("oracle: who has a priority overtakes by a second for each step of it, and no more", () => {
  for (const [wait, isOvertaking] of [[999, false], [1_001, true]] as const) {
    const books = new Books();
    const { ledger, clock } = books;
    books.arrive();
    clock.reach(wait);
    const urgent = books.arrive(1);
    ledger.endEpoch();
    books.deliver(urgent, books.create());
    ledger.endEpoch();
    assertEquals(
      /^S4/.test(ledger.violation ?? ""),
      isOvertaking,
      `${wait} ms`,
    );
  }
});

test("oracle: who is served before one with a head start of more overtakes", () => {
  const books = new Books();
  const { ledger, clock } = books;
  const first = books.arrive(1);
  clock.reach(500);
  books.arrive(2);
  ledger.endEpoch();
  books.deliver(first, books.create());
  ledger.endEpoch();
  assertMatch(ledger.violation ?? "", /^S4: #0 overtook 1 /);
});
