/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { prove } from "./proof.ts";
import { SCOPES } from "./scope.ts";

// The pool makes errors by the hundred thousand, and nobody reads their stacks.
Error.stackTraceLimit = 0;

self.onmessage = async ({ data }: MessageEvent<number>) => {
  self.postMessage(await prove(SCOPES[data]!));
};
