import type { Line } from "../core/line.ts";
import type { Partition } from "../core/partition.ts";
import type { PoolSettings } from "../pool_options.ts";
import type { Time } from "../time.ts";
import type { Agenda } from "./agenda.ts";
import type { Events } from "./events.ts";
import type { Refusals } from "./refusals.ts";
import type { UserCalls } from "./user_call.ts";

/** What the parts of a pool share. */
export interface Parts<T> {
  readonly settings: PoolSettings<T>;
  readonly partition: Partition<T>;
  readonly time: Time;
  readonly agenda: Agenda;
  readonly calls: UserCalls;
  readonly events: Events<T>;
  readonly refusals: Refusals<T>;
  /** Whether nobody looks at what becomes idle next unless told of it. */
  watches: boolean;
  now(): number;
  /** Runs the effects that are noted, calls of user code in the context. */
  play(): void;
  /** Runs them at once, wherever this is. */
  playNow(): void;
  /** As `play`, after a verb of the line that may have made something idle. */
  follow(line: Line<T>): void;
}
