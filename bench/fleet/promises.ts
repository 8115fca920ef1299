/** What a client that has a connection of its own can do, tried on two of them. */
import pg from "pg";

/** By what it is, whether it works. */
export type Promises = Record<string, boolean>;

const PATIENCE = 500;

export async function promises(url: string): Promise<Promises> {
  const clients = [0, 1].map(() => new pg.Client({ connectionString: url }));
  const [a, b] = clients as [pg.Client, pg.Client];
  for (const client of clients) {
    client.on("error", () => {});
    await client.connect();
  }
  try {
    return {
      "a setting stays with who made it": await settings(a, b),
      "a prepared statement stays": await prepared(a, b),
      "LISTEN hears": await listens(a, b),
    };
  } finally {
    for (const client of clients) await client.end();
  }
}

async function settings(a: pg.Client, b: pg.Client): Promise<boolean> {
  await a.query("set statement_timeout = '1234s'");
  const show = "show statement_timeout";
  const { rows: [other] } = await b.query(show);
  // Lest it be left to whoever comes next.
  for (const client of [a, b]) await client.query("reset statement_timeout");
  return other.statement_timeout === "0";
}

async function prepared(a: pg.Client, b: pg.Client): Promise<boolean> {
  const statement = { name: "one", text: "select 1 as one" };
  await a.query(statement);
  await b.query("begin");
  try {
    await a.query(statement);
    return true;
  } catch {
    return false;
  } finally {
    await b.query("rollback");
  }
}

async function listens(a: pg.Client, b: pg.Client): Promise<boolean> {
  const heard = new Promise<boolean>((resolve) => {
    a.once("notification", () => resolve(true));
    setTimeout(() => resolve(false), PATIENCE);
  });
  await a.query("listen news");
  await b.query("notify news");
  return await heard;
}
