/**
 * Why a resource was destroyed.
 *
 * - `"idle"`: evicted, idle for longer than `idleTimeout`
 * - `"invalid"`: `validate` said no, threw, or took longer than `validateTimeout`
 * - `"clear"`: idle at `clear()`, or created before it and released after it
 * - `"close"`: the pool closed
 * - `"lease"`: its holder said so: `Lease.destroy()`, or a fatal error in `use`
 * - `"late"`: `create` settled after its `createTimeout` or after an aborted `close`
 */
export type DestroyReason =
  | "idle"
  | "invalid"
  | "clear"
  | "close"
  | "lease"
  | "late";
