// Warms a pool whose create hangs: the process stays until that is over.
import { Pool } from "../../../mod.ts";

const pool = new Pool({
  create: () => new Promise<never>(() => {}),
  max: 1,
  createTimeout: 200,
});
const failed = await pool.warm().catch((error) => error);
console.log(failed.name);
