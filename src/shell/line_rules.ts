import type { LineRules, Shed } from "../core/line.ts";
import type { PoolSettings } from "../pool_options.ts";

/** What the lines of a pool go by. */
export function lineRules<T>(settings: PoolSettings<T>): LineRules {
  const { validate, idleTimeout, maxUses, idleOrder, shed } = settings;
  return {
    validateAfter: validate === undefined ? Infinity : settings.validateAfter,
    idleTimeout,
    maxUses,
    oldestFirst: idleOrder === "oldest",
    shed: shed && (() => contained(shed.judge())),
  };
}

/** A judge of someone's own making that fails sheds nobody. */
function contained(shed: Shed): Shed {
  return {
    retryAfter: shed.retryAfter,
    mustLeave(since, oldest, now) {
      try {
        return shed.mustLeave(since, oldest, now) === true;
      } catch {
        return false;
      }
    },
  };
}
