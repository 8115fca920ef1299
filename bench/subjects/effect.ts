import * as Effect from "effect/Effect";
import * as EffectPool from "effect/Pool";
import * as Scope from "effect/Scope";
import {
  creator,
  type Resource,
  type Subject,
  type SubjectOptions,
} from "../subject.ts";

/** A resource held by a fiber, which goes on when it is released. */
interface Held {
  resource: Resource;
  release: () => void;
}

/**
 * The Pool of effect, in the way that costs it least: `Pool.use`, all of a
 * sequence in one fiber and each task of a crowd in one. Its acquires wait for
 * ever.
 */
export async function open(options: SubjectOptions): Promise<Subject<Held>> {
  const pool = await Effect.runPromise(make(options));
  const weigh = EffectPool.use(
    pool,
    (resource) => Effect.succeed(resource.weight),
  );
  // A fiber that did not yield would be done before the next one starts.
  const task = EffectPool.use(
    pool,
    (resource) => Effect.as(Effect.yieldNow, resource.weight),
  );
  const acquire = (onHeld: (held: Held) => void) =>
    EffectPool.use(pool, (resource) =>
      Effect.callback<void>((resume) => {
        onHeld({ resource, release: () => resume(Effect.void) });
      }));
  return {
    acquire: () =>
      new Promise((resolve) => void Effect.runFork(acquire(resolve))),
    resource: (lease) => lease.resource,
    release: (lease) => lease.release(),
    use: (fn) =>
      Effect.runPromise(
        EffectPool.use(pool, (resource) => Effect.sync(() => fn(resource))),
      ),
    acquireWith: (signal) =>
      new Promise((resolve, reject) => {
        Effect.runPromise(acquire(resolve), { signal }).catch(reject);
      }),
    acquireWithin: (timeout) =>
      new Promise((resolve, reject) => {
        const limited = Effect.timeout(acquire(resolve), timeout);
        Effect.runPromise(limited).catch(reject);
      }),
    begin: () => {
      const { promise, resolve, reject } = Promise.withResolvers<Held>();
      const fiber = Effect.runFork(acquire(resolve));
      fiber.addObserver(reject);
      return { promise, cancel: () => fiber.interruptUnsafe() };
    },
    sequence: (n) =>
      Effect.runPromise(Effect.gen(function* () {
        let served = 0;
        for (let i = 0; i < n; i++) served += yield* weigh;
        return served;
      })),
    crowd: async (n) => {
      const weights = await Effect.runPromise(
        Effect.all(Array.from({ length: n }, () => task), {
          concurrency: "unbounded",
        }),
      );
      return weights.reduce((sum, weight) => sum + weight, 0);
    },
  };
}

function make(
  options: SubjectOptions,
): Effect.Effect<EffectPool.Pool<Resource>> {
  const { max, server, idleTimeout } = options;
  const create = creator(options);
  const acquire = Effect.acquireRelease(
    Effect.promise(create),
    (resource) => Effect.sync(() => server.destroy(resource)),
  );
  const made = idleTimeout === undefined
    ? EffectPool.make({ acquire, size: max })
    : EffectPool.makeWithTTL({
      acquire,
      min: 0,
      max,
      timeToLive: idleTimeout,
    });
  return Effect.flatMap(
    Scope.make(),
    (scope) => Effect.provideService(made, Scope.Scope, scope),
  );
}
