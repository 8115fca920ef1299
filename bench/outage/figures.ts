import { percentile } from "../statistic.ts";
import type { Play, Scene } from "./scene.ts";
import type { Stage } from "./stage.ts";

/** What one contender has shown in one scene. */
export interface Figures {
  answered: number;
  failed: number;
  connects: number;
  /** Connects a second while the fault lasted. */
  rate?: number | undefined;
  /** Of the answered: from the request to its answer, in milliseconds. */
  p50: number;
  p99: number;
  /** Seconds from the return of the server to the first answer. */
  back?: number | undefined;
  /** Figures of the scene alone. */
  more: Record<string, number>;
  /** Why requests failed: each reason, its numbers aside, and how often. */
  errors: Record<string, number>;
}

export function figures(
  { requests = 0 }: Scene,
  play: Play,
  stage: Stage,
): Figures {
  const good = play.requests.filter(({ error }) => error === undefined);
  const waits = good.map(({ asked, ended }) => ended - asked);
  const lost = Math.max(0, requests - play.requests.length);
  const errors: Record<string, number> = {};
  if (lost > 0) errors[stage.crowd.complaint ?? "no answer"] = lost;
  for (const { error } of play.requests) {
    if (error === undefined) continue;
    const reason = error.replace(/\d+(\.\d+)?/g, "#");
    errors[reason] = (errors[reason] ?? 0) + 1;
  }
  const first = Math.min(...good.map(({ ended }) => ended));
  const { connects, rate, over } = stage;
  return {
    answered: good.length,
    failed: play.requests.length - good.length + lost,
    connects,
    rate,
    p50: percentile(waits, 0.5),
    p99: percentile(waits, 0.99),
    back: over === undefined || good.length === 0
      ? undefined
      : Math.max(0, first - over) / 1_000,
    more: play.more ?? {},
    errors,
  };
}
