import { Entry } from "../../src/core/entry.ts";
import { HeapNode } from "../../src/core/heap.ts";
import type { Stripe as RealStripe } from "../../src/core/stripe.ts";
import { WaiterQueue } from "../../src/core/waiter_queue.ts";
import type { Machine, Pending } from "./machine.ts";
import { IDLE_TICKS, type Stripe, sum, takers, type World } from "./world.ts";

/** A state in full: what it is about, and what holds of it. */
type Snapshot = [string, unknown][];

/** The first thing in which the machine differs from the model, if any. */
export function difference(machine: Machine, world: World): string | undefined {
  const seen = ofMachine(machine);
  const due = ofModel(world);
  if (JSON.stringify(seen) === JSON.stringify(due)) return undefined;
  for (const [i, [what, value]] of due.entries()) {
    const [is, should] = [seen[i]![1], value].map((v) => JSON.stringify(v));
    if (is !== should) return `${what}: the machine has ${is}, not ${should}`;
  }
}

function ofModel(world: World): Snapshot {
  const { stripes, queues, withIdle, withSpare } = world;
  const ofStripes = stripes.flatMap((stripe): Snapshot => {
    const { id, idle, used, creating, destroying } = stripe;
    return [
      [`slots of stripe ${id}`, slots([stripe])],
      ["idle", idle.map((it) => [it.resource, it.since + IDLE_TICKS])],
      ["idle from the oldest", idle.map((it) => it.resource).reverse()],
      ["used", used.map((it) => [it.resource, it.taker?.client, it.retired])],
      ["creating", creating.map((it) => [it.id, it.retired])],
      ["destroying", destroying.toSorted()],
      ["noted", [withIdle.includes(id), withSpare.includes(id)]],
    ];
  });
  const ofLines = queues.flatMap((queue, id): Snapshot => {
    const validating = takers(world).filter(({ line }) => line === id);
    const all = slots(stripes.filter(({ line }) => line === id));
    const pending = queue.length + validating.length;
    const clients = (isBack: boolean) =>
      queue.filter((it) => it.isBack === isBack).map(({ client }) => client);
    return [
      [`slots of line ${id}`, all],
      ["counts", [all.idle, all.spare, pending]],
      ["back in line", clients(true)],
      ["in line", clients(false)],
      ["validating", validating.map(({ client }) => client).sort()],
      ["pending", [queue.length, pending, pending]],
    ];
  });
  return [...ofStripes, ...ofLines];
}

function slots(stripes: readonly Stripe[]) {
  return {
    spare: sum(stripes, ({ spare }) => spare),
    idle: sum(stripes, ({ idle }) => idle.length),
    used: sum(stripes, ({ used }) => used.length),
    creating: sum(stripes, ({ creating }) => creating.length),
    destroying: sum(stripes, ({ destroying }) => destroying.length),
  };
}

function ofMachine(machine: Machine): Snapshot {
  const { partition: { stripes, lines } } = machine;
  return [
    ...stripes.flatMap((stripe) => ofStripe(machine, stripe)),
    ...lines.keys().flatMap((line) => ofLine(machine, line)),
  ];
}

function ofStripe(machine: Machine, stripe: RealStripe<number>): Snapshot {
  const { id, inIdle, inSpare } = stripe;
  const idle = [];
  for (let it = stripe.newest; it !== undefined; it = it.older) idle.push(it);
  const back = [];
  for (let it = stripe.oldest; it !== undefined; it = it.newer) back.push(it);
  const used = [...stripe.entries()].filter(({ place }) => place === "used");
  const creating = machine.creations.entries()
    .filter(([, creation]) => creation.stripe === id);
  const destroying = machine.entries.values()
    .filter((it) => it.stripe === id && it.place === "destroying");
  return [
    [`slots of stripe ${id}`, stripe.slots()],
    ["idle", idle.map((it) => [it.resource, it.endsAt])],
    ["idle from the oldest", back.map((it) => it.resource)],
    [
      "used",
      used.map((it) => [
        it.resource,
        (it.taker as Pending | undefined)?.client,
        it.maxUses > 0 ? undefined : it.reason,
      ]),
    ],
    ["creating", [...creating.map(([id, it]) => [id, it.retired])]],
    ["destroying", [...destroying.map((it) => it.resource)].sort()],
    ["noted", [inIdle, inSpare]],
  ];
}

function ofLine(machine: Machine, id: number): Snapshot {
  const { lines } = machine.partition;
  const line = lines[id]!;
  const { pending, max: _, ...slots } = line.stats();
  const own = [...machine.waiters.values()].filter(({ at, home }) =>
    at !== undefined && machine.partition.lineOf(home) === line
  );
  const back = own.flatMap(({ at, client }) =>
    at instanceof HeapNode ? [{ order: at.key, client }] : []
  );
  const joined: number[] = [];
  let next = own.find(({ at, previous }) =>
    at instanceof WaiterQueue && previous === undefined
  );
  for (; next !== undefined; next = next.next as Pending | undefined) {
    joined.push(next.client);
  }
  const validating = own.filter((it) =>
    it.at instanceof Entry && it.at.taker === it
  );
  return [
    [`slots of line ${id}`, slots],
    ["counts", [line.idle, line.spare, pending]],
    [
      "back in line",
      back.sort((a, b) => a.order - b.order).map(({ client }) => client),
    ],
    ["in line", joined],
    ["validating", validating.map(({ client }) => client).sort()],
    ["pending", [line.waiting, line.pending, own.length]],
  ];
}
