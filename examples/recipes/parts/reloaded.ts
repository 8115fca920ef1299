/** A module with a pool, which is loaded again whenever a file changes. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import process from "node:process";
// In a project of its own: "@lease/pool".
import { Pool } from "../../../mod.ts";

const kept = globalThis as { pool?: Pool<Socket> };

// What the module has left when it was loaded before: uses end, then it is gone.
void kept.pool?.close();

export const pool = kept.pool = new Pool<Socket>({
  create: async ({ signal, lost }) => {
    const socket = connect({
      host: "127.0.0.1",
      port: Number(process.env.PORT),
      signal,
    });
    socket.on("error", lost).on("close", lost);
    await once(socket, "connect");
    return socket;
  },
  destroy: async (socket) => {
    socket.end();
    await once(socket, "close");
  },
  max: 5,
});

await pool.warm(3);
