/** The process of one contender: started by crowd.ts, never by hand. */

import process from "node:process";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { ContenderModule, Settings } from "./contender.ts";
import { type Load, put } from "./load.ts";

const [subject, settings] = process.argv.slice(2) as [string, string];
const { patience, ...rest }: Settings = JSON.parse(settings);
const { open }: ContenderModule = await import(`./subjects/${subject}.ts`);
const ask = open({ patience, ...rest });

// Counted here, as nobody else sees those that a server refuses.
let connects = 0;
const { connect } = Socket.prototype;
Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
  connects++;
  return Reflect.apply(connect, this, args);
};

/** Puts each load that comes in as a line, and writes what became of it. */
for await (const line of createInterface({ input: process.stdin })) {
  const { id, load }: { id: number; load: Load } = JSON.parse(line);
  put(ask, patience, load).then((requests) =>
    console.log(JSON.stringify({ id, requests, connects }))
  );
}
