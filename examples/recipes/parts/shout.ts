/** Says each line that it is told again, louder; on `sleep` nothing ever again. */

import { createInterface } from "node:readline";
import process from "node:process";

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "sleep") {
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  console.log(line.toUpperCase());
}
