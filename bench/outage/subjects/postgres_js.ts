import postgres from "postgres";
import type { Ask, Settings } from "../contender.ts";

/** postgres.js; its requests wait for ever, and it asks no connection. */
export function open({ url, max }: Settings): Ask {
  // Its notices would go to the console, which speaks to crowd.ts here.
  const sql = postgres(url, { max, onnotice: () => {} });
  return async (text) => await sql.unsafe(text);
}
