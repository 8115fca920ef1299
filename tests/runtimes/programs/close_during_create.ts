// Closes without a signal while a create hangs: the process stays until the
// create has passed its limit and the close is done.
import { Pool } from "../../../mod.ts";

const pool = new Pool({
  create: () => new Promise<object>(() => {}),
  max: 1,
  createTimeout: 200,
});
pool.acquire().catch((error) => console.log(error.name));
await pool.close();
console.log("closed");
