/** What a Worker does with a request: its pool is born and ends with it. */

import { Pool } from "@lease/pool";

/** What it uses of a socket of `cloudflare:sockets`. */
export interface Socket {
  readonly opened: Promise<unknown>;
  readonly closed: Promise<unknown>;
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  close(): Promise<void>;
}

/** A connection to a server that answers a line with a line. */
class Connection {
  readonly #socket: Socket;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#reader = socket.readable.getReader();
    this.#writer = socket.writable.getWriter();
  }

  async ask(word: string): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(`${word}\n`));
    let answer = "";
    while (!answer.endsWith("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the server has hung up");
      answer += new TextDecoder().decode(value);
    }
    return answer.trim();
  }

  async close(): Promise<void> {
    await this.#socket.close();
  }
}

/** Asks about each word of the query, over at most three connections. */
export async function handle(
  request: Request,
  connect: () => Socket,
): Promise<Response> {
  await using pool = new Pool<Connection>({
    create: async ({ lost }) => {
      const socket = connect();
      socket.closed.then(lost, lost);
      await socket.opened;
      return new Connection(socket);
    },
    destroy: (connection) => connection.close(),
    max: 3, // a request may have six connections at a time
  });
  const words = new URL(request.url).searchParams.getAll("word");
  const answers = words.map((word) => pool.use((conn) => conn.ask(word)));
  // Awaited here: the pool ends with the block.
  return Response.json(await Promise.all(answers));
}
