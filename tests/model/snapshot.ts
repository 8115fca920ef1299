import type { Creation as RealCreation } from "../../src/core/creation.ts";
import { Entry } from "../../src/core/entry.ts";
import { HeapNode } from "../../src/core/heap.ts";
import type { Stripe as RealStripe } from "../../src/core/stripe.ts";
import { WaiterQueue } from "../../src/core/waiter_queue.ts";
import type { Machine, Pending } from "./machine.ts";
import {
  before,
  countsOf,
  type Creation,
  IDLE_TIME,
  type Resource,
  type Stripe,
  sum,
  takers,
  type Used,
  type World,
} from "./world.ts";

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
  const { stripes, queues, withIdle, withSpare, terms, places } = world;
  const { now, turned } = world;
  const ofStripes = stripes.flatMap((stripe): Snapshot => {
    const { id, idle, used, creating, destroying } = stripe;
    return [
      [`slots of stripe ${id}`, slots([stripe])],
      ["idle", idle.map((it) => [...stamps(it), ends(it)])],
      ["idle from the oldest", idle.map((it) => it.resource).reverse()],
      ["used", used.map((it) => [...stamps(it), ...uses(it)])],
      ["creating", creating.map((it) => creation(world, stripe, it))],
      ["destroying", destroying.toSorted()],
      ["noted", [withIdle.includes(id), withSpare.includes(id)]],
    ];
  });
  const ofLines = queues.flatMap((queue, id): Snapshot => {
    const validating = takers(world).filter(({ line }) => line === id);
    const all = slots(stripes.filter(({ line }) => line === id));
    const pending = queue.length + validating.length;
    const inLine = queue.filter(({ isBack }) => !isBack);
    const later = inLine.filter(({ since }) => since > now - 1);
    const clients = (isBack: boolean) =>
      queue.filter((it) => it.isBack === isBack)
        .sort((a, b) => a.priority - b.priority)
        .map(({ client }) => client);
    const { owed, allowance, pauses, yielded } = terms[id]!;
    const { existing, creating, coming, spare, idle, ...counts } = countsOf(
      world,
      id,
    );
    const hasPlace = spare > 0 && creating < allowance && places > 0 &&
      pauses === 0;
    return [
      [`slots of line ${id}`, all],
      ["counts", [idle, spare, existing, existing - idle, pending]],
      ["creates", [creating, coming, creating - coming, hasPlace]],
      ["owed", owed],
      ["back in line", clients(true)],
      ["in line", clients(false)],
      ["waiting for a tick", [
        queue.length - later.length,
        Math.min(...later.map(({ since }) => since)),
      ]],
      ["permits", [
        counts.occupied,
        counts.lacking,
        yielded,
        pauses > 0,
      ]],
      ["may be checked", idle > 0 && pauses === 0],
      ["validating", validating.map(({ client }) => client).sort()],
      ["pending", [queue.length, pending, pending]],
      [
        "stuck",
        [...queue, ...validating].filter((it) => it.id >= turned[id]!)
          .map(({ client }) => client).sort(),
      ],
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

function stamps(it: Resource) {
  const { resource, since, checkedAt, diesAt, fate, isWatched, uses } = it;
  return [resource, since, checkedAt, diesAt, fate, isWatched, uses];
}

function ends({ since, diesAt }: Resource) {
  return Math.min(since + IDLE_TIME, diesAt);
}

function uses(it: Used) {
  const { holder, taker, retired, isLost, usedAt } = it;
  const began = holder === undefined ? undefined : usedAt;
  return [taker?.client, retired, isLost, began];
}

function creation(world: World, { line }: Stripe, it: Creation) {
  const { id, order, isOverdue, isLost, retired } = it;
  return [id, before(world, line, order), isOverdue, isLost, retired];
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
    ["idle", idle.map((it) => [...realStamps(it), it.endsAt])],
    ["idle from the oldest", back.map((it) => it.resource)],
    ["used", used.map((it) => [...realStamps(it), ...realUses(machine, it)])],
    ["creating", [...creating.map((it) => realCreation(machine, ...it))]],
    ["destroying", [...destroying.map((it) => it.resource)].sort()],
    ["noted", [inIdle, inSpare]],
  ];
}

function realStamps(it: Entry<number>) {
  const { resource, releasedAt, checkedAt, diesAt, fate, life, uses } = it;
  const isWatched = life !== undefined;
  return [resource, releasedAt, checkedAt, diesAt, fate, isWatched, uses];
}

function realUses(machine: Machine, it: Entry<number>) {
  const { maxUses, reason, isLost, usedAt } = it;
  const taker = it.taker as Pending | undefined;
  const retired = maxUses > 0 ? undefined : reason;
  const began = machine.isLeased(it) ? usedAt : undefined;
  return [taker?.client, retired, isLost, began];
}

function realCreation(machine: Machine, id: number, it: RealCreation) {
  const line = machine.partition.lineOf(it.stripe);
  const earlier = waitersOf(machine, line)
    .filter(({ order }) => order < it.order);
  return [id, earlier.length, it.isOverdue, it.isLost, it.retired];
}

/** Those of a line who have not settled. */
function waitersOf(machine: Machine, line: unknown): Pending[] {
  return [...machine.waiters.values()].filter(({ at, home }) =>
    at !== undefined && machine.partition.lineOf(home) === line
  );
}

function ofLine(machine: Machine, id: number): Snapshot {
  const { lines } = machine.partition;
  const line = lines[id]!;
  const { pending, waiting: _, validating: __, max: ___, ...slots } = line
    .stats();
  const own = waitersOf(machine, line);
  const back = own.flatMap(({ at, priority, client }) =>
    at instanceof HeapNode ? [{ priority, order: at.key, client }] : []
  );
  const joined: number[] = [];
  const heads = own.filter(({ at, previous }) =>
    at instanceof WaiterQueue && previous === undefined
  ).sort((a, b) => a.priority - b.priority);
  for (const head of heads) {
    let next: Pending | undefined = head;
    for (; next !== undefined; next = next.next as Pending | undefined) {
      joined.push(next.client);
    }
  }
  const validating = own.filter((it) =>
    it.at instanceof Entry && it.at.taker === it
  );
  const waited = line.waitingSince(machine.now - 1, Infinity);
  return [
    [`slots of line ${id}`, slots],
    ["counts", [line.idle, line.spare, line.existing, line.used, pending]],
    ["creates", [line.creating, line.coming, line.overdue, line.canCreate]],
    ["owed", line.owed],
    [
      "back in line",
      back.sort((a, b) => a.priority - b.priority || a.order - b.order)
        .map(({ client }) => client),
    ],
    ["in line", joined],
    ["waiting for a tick", [waited.count, waited.next]],
    ["permits", [
      line.occupied,
      line.lacking,
      line.yielded,
      line.isPaused,
    ]],
    ["may be checked", line.leastChecked() !== undefined],
    ["validating", validating.map(({ client }) => client).sort()],
    ["pending", [line.waiting, line.pending, own.length]],
    [
      "stuck",
      own.filter((it) => line.isStuck(it)).map(({ client }) => client).sort(),
    ],
  ];
}
