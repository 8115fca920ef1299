import { delay } from "@std/async/delay";

/** How long a program stands still, in ms. */
const STANDSTILL = 500;

/** How long a program has to stand still once it is told to. */
const LEAD = 50;

/**
 * The other end of a program's sockets. It answers each line that it is asked,
 * at once or, after the order `block n` or `freeze n`, when n of them have come
 * and the program stands still: then the answers lie ready in its sockets.
 */
export class Peer {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  /** Sends what ends the standstill. */
  readonly #resume: (order: string) => Promise<void>;
  #order = "";
  #count = 0;
  #control: Deno.Conn | undefined = undefined;
  #asking: Deno.Conn[] = [];

  constructor(resume: (order: string) => Promise<void>) {
    this.#resume = resume;
    void this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  close(): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const socket of this.#listener) {
      // A program that has ended has reset its sockets.
      this.#serve(socket).catch(() => {});
    }
  }

  async #serve(socket: Deno.Conn): Promise<void> {
    const lines = socket.readable.pipeThrough(new TextDecoderStream());
    for await (const line of lines) {
      if (line === "ask\n") await this.#asked(socket);
      else {
        const [order, count] = line.trim().split(" ");
        this.#order = order!;
        this.#count = Number(count);
        this.#control = socket;
        await say(socket, "ready");
      }
    }
  }

  async #asked(socket: Deno.Conn): Promise<void> {
    if (this.#count === 0) return await say(socket, "answer");
    this.#asking.push(socket);
    if (this.#asking.length < this.#count) return;
    const asking = this.#asking;
    this.#asking = [];
    this.#count = 0;
    await say(this.#control!, "halt");
    await delay(LEAD);
    for (const socket of asking) await say(socket, "answer");
    await delay(STANDSTILL);
    await this.#resume(this.#order);
  }
}

async function say(socket: Deno.Conn, line: string): Promise<void> {
  await socket.write(new TextEncoder().encode(`${line}\n`));
}
