import postgres, { type ReservedSql } from "postgres";
import type { Database } from "../subject.ts";

/** postgres.js, a driver with a pool; `reserve` gives a connection to one. */
export function open(url: string, max: number): Database<ReservedSql> {
  const sql = postgres(url, { max });
  return {
    acquire: () => sql.reserve(),
    query: async (lease, text) => (await lease.unsafe(text))[0]!["n"],
    release: (lease) => lease.release(),
  };
}
