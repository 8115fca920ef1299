/** The targets of the scenes, and whether a run has met them. */

import { digits } from "../label.ts";
import { align } from "../table.ts";
import type { Figures } from "./figures.ts";

/** The figures of a run: by scene, then by contender. */
export type Run = ReadonlyMap<string, ReadonlyMap<string, Figures>>;

export const OURS = "postgres_ours";

interface Target {
  scene: string;
  text: string;
  limit: number;
  /** Whether the limit is the least; else it is the most. */
  atLeast?: boolean;
  figure(ours: Figures): number | undefined;
}

const TARGETS: readonly Target[] = [
  {
    scene: "idle killed",
    text: "failed",
    limit: 1,
    figure: ({ failed }) => failed,
  },
  {
    scene: "down 3 s",
    text: "failed",
    limit: 0,
    figure: ({ failed }) => failed,
  },
  {
    scene: "down 60 s",
    text: "connects/s",
    limit: 5,
    figure: ({ rate }) => rate,
  },
  {
    scene: "down 60 s",
    text: "late: patient, without an answer 2.5 s after its return",
    limit: 0,
    figure: ({ more }) => more["late"],
  },
  {
    scene: "booted while down",
    text: "connects/s",
    limit: 5,
    figure: ({ rate }) => rate,
  },
  {
    scene: "server allows 5",
    text: "failed",
    limit: 0,
    figure: ({ failed }) => failed,
  },
  {
    scene: "spike",
    text: "connects",
    limit: 3,
    figure: ({ connects }) => connects,
  },
  {
    scene: "hung create",
    text: "failed",
    limit: 1,
    figure: ({ failed }) => failed,
  },
  {
    scene: "violations",
    text: "of the rate without errors",
    limit: 0.8,
    atLeast: true,
    figure: ({ more }) => more["share"],
  },
];

/** Why a target is missed, by `scene: text`, as read out of the run. */
const CAUSES: Readonly<Record<string, string>> = {
  "down 60 s: failed, best peer":
    "whose patience ends between the return of the server and the next probe, " +
    "up to 2 s later; who connects hundreds of times a second is there at once",
  "booted while down: failed, best peer":
    "before a first success each failure rejects who waits, so that a wrong " +
    "password shows at once",
  "violations: of the rate without errors":
    "each use that fails costs one more round trip, the rollback of `reset`",
};

/** The peer with the fewest failures, then connects. */
function best(figures: ReadonlyMap<string, Figures>): Figures | undefined {
  return [...figures].filter(([subject]) => !subject.endsWith("ours"))
    .map(([, figures]) => figures)
    .toSorted((a, b) => a.failed - b.failed || a.connects - b.connects)[0];
}

/** The targets of one scene; those against a peer need one in the run. */
function targets(
  scene: string,
  figures: ReadonlyMap<string, Figures>,
): readonly Target[] {
  const own = TARGETS.filter((target) => target.scene === scene);
  const peer = best(figures);
  if (peer === undefined) return own;
  return [...own, {
    scene,
    text: "failed, best peer",
    limit: peer.failed,
    figure: ({ failed }) => failed,
  }, {
    scene,
    text: "connects, best peer",
    limit: peer.connects,
    figure: ({ connects }) => connects,
  }];
}

/** Each target, what was found, and whether that meets it; then the causes. */
export function verdicts(run: Run): string {
  const rows = [["Target", "", "", "@lease/pool", ""]];
  const causes: string[] = [];
  for (const [scene, figures] of run) {
    const ours = figures.get(OURS);
    if (ours === undefined) continue;
    for (const { text, limit, atLeast, figure } of targets(scene, figures)) {
      const found = figure(ours);
      const met = found !== undefined &&
        (atLeast ? found >= limit : found <= limit);
      rows.push([
        scene,
        text,
        `${atLeast ? "≥" : "≤"} ${limit}`,
        found === undefined ? "–" : digits(found),
        met ? "met" : "MISSED",
      ]);
      if (met) continue;
      const name = `${scene}: ${text}`;
      causes.push(`${name}: ${CAUSES[name] ?? "cause not named"}`);
    }
  }
  const parts = [align(rows)];
  if (causes.length > 0) {
    parts.push(`Why those missed are\n\n${causes.join("\n")}`);
  }
  return `${parts.join("\n\n")}\n`;
}
