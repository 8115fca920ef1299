/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { explore } from "./explorer.ts";
import { SCOPES } from "./scope.ts";

self.onmessage = ({ data }: MessageEvent<number>) => {
  const scope = SCOPES[data]!;
  const began = performance.now();
  try {
    const { states, transitions } = explore(scope);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const report =
      `${scope.name}: ${states} states, ${transitions} transitions, all ` +
      `replayed, ${seconds} s`;
    self.postMessage({ report });
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    self.postMessage({ report: `${scope.name}: broken`, fault });
  }
};
