// Closes with a lease out that nobody gives back, and with nothing else alive:
// the process stays until the signal has aborted and the close is done.
import { Pool } from "../../../mod.ts";

const pool = new Pool({
  create: () => ({}),
  destroy: () => console.log("destroyed"),
  max: 1,
});
await pool.acquire();
await pool.close({ signal: AbortSignal.timeout(200) });
console.log("closed");
