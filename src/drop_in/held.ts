import type { Lease } from "../lease.ts";

/**
 * The leases that are out, found by their resource as it is given back. One is
 * noted when its holder is about to get it: a release that comes before cannot
 * be its own, and finds nothing.
 */
export class Held<T, Leased = T> {
  readonly #leases = new Map<T, Set<Lease<Leased>>>();

  add(resource: T, lease: Lease<Leased>): void {
    const leases = this.#leases.get(resource);
    if (leases === undefined) this.#leases.set(resource, new Set([lease]));
    else leases.add(lease);
  }

  has(resource: T): boolean {
    return this.#leases.has(resource);
  }

  /** A lease on the resource, which is out no more; of equal ones any. */
  take(resource: T): Lease<Leased> | undefined {
    const [lease] = this.#leases.get(resource) ?? [];
    if (lease !== undefined) this.drop(resource, lease);
    return lease;
  }

  /** The lease is out no more. */
  drop(resource: T, lease: Lease<Leased>): void {
    const leases = this.#leases.get(resource);
    leases?.delete(lease);
    if (leases?.size === 0) this.#leases.delete(resource);
  }
}
