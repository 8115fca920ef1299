// Leaves a resource idle and forgets to close: the process ends all the same.
import { Pool } from "../../../mod.ts";

const pool = new Pool({
  create: () => ({}),
  max: 1,
  idleTimeout: 600_000,
});
const lease = await pool.acquire();
lease.release();
console.log(`${pool.stats().idle} idle`);
