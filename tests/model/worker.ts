/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { prove } from "./proof.ts";
import { SCOPES } from "./scope.ts";

self.onmessage = async ({ data }: MessageEvent<number>) => {
  self.postMessage(await prove(SCOPES[data]!));
};
