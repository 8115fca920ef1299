/**
 * Why a resource was destroyed.
 *
 * - `"idle"`: evicted, idle for longer than `idleTimeout`
 * - `"lifetime"`: older than its share of `maxLifetime`
 * - `"uses"`: used `maxUses` times
 * - `"invalid"`: `validate` said no, threw, or took longer than
 *   `validateTimeout`; or was idle as long as one whose check went unanswered
 * - `"lost"`: it said so itself, by `lost`
 * - `"reset"`: `reset` failed, or took longer than `resetTimeout`
 * - `"leaked"`: its lease was garbage collected without having ended
 * - `"evict"`: `evict` said so
 * - `"resize"`: the pool has become smaller
 * - `"budget"`: another pool of its budget needed the place more
 * - `"clear"`: idle at `clear()`, or created before it and released after it
 * - `"close"`: the pool closed
 * - `"lease"`: its holder said so: `Lease.destroy()`, or a fatal error in `use`
 * - `"late"`: `create` settled after its `createTimeout` or after an aborted `close`
 */
export type DestroyReason =
  | "idle"
  | "lifetime"
  | "uses"
  | "invalid"
  | "lost"
  | "reset"
  | "leaked"
  | "evict"
  | "resize"
  | "budget"
  | "clear"
  | "close"
  | "lease"
  | "late";
