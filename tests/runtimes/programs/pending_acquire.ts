// Waits for what never comes free: the process stays until the wait is over.
import { Pool } from "../../../mod.ts";

const pool = new Pool({ create: () => ({}), max: 1 });
await pool.acquire();
const late = await pool.acquire({ timeout: 200 }).catch((error) => error);
console.log(late.name);
