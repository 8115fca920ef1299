/** A loopback TCP proxy that can do to its connections what networks do. */

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, Socket } from "node:net";

/** The two ends of a connection through the proxy. */
type Side = "client" | "server";

export class TcpProxy implements AsyncDisposable {
  readonly #listener: Server;
  readonly #links = new Set<Link>();
  #stalled = false;
  #accepted = 0;
  /** How many of the next connections get nowhere. */
  #hanging = 0;
  /** How long a new connection takes to get through, in milliseconds. */
  delay = 0;

  private constructor(target: number) {
    this.#listener = createServer({ allowHalfOpen: true }, (client) => {
      const link = new Link(client, target, () => this.#links.delete(link));
      this.#links.add(link);
      this.#accepted++;
      if (this.#hanging > 0) {
        this.#hanging--;
        link.freeze();
      } else if (this.delay > 0) link.wait(this.delay);
      else if (!this.#stalled) link.resume();
    });
  }

  /** Listens on 127.0.0.1 and forwards to a port there. */
  static async create(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#listener.listen(0, "127.0.0.1");
    await once(proxy.#listener, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  /**
   * From now on nothing gets through, and new connections get nowhere. Only
   * the end of a client is passed on, else the server would have to guess it.
   */
  stall(): void {
    this.#stalled = true;
    for (const link of this.#links) link.stall();
  }

  /** Lets through what has been held back, and all that follows. */
  resume(): void {
    this.#stalled = false;
    for (const link of this.#links) link.resume();
  }

  /**
   * Nothing gets through any more on the connections there are, and nobody is
   * told; new ones are well. Returns how many.
   */
  freeze(): number {
    for (const link of this.#links) link.freeze();
    return this.#links.size;
  }

  /** So many of the next connections get nowhere, whatever comes. */
  hang(count: number): void {
    this.#hanging = count;
  }

  /** Breaks all connections off; returns how many. */
  reset(): number {
    const links = [...this.#links];
    for (const link of links) link.reset();
    return links.length;
  }

  /** Tells one side of each connection that the other has no more to say. */
  halfClose(side: Side): number {
    const links = [...this.#links];
    for (const link of links) link.halfClose(side);
    return links.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of [...this.#links]) link.destroy();
    const closed = once(this.#listener, "close");
    this.#listener.close();
    await closed;
  }
}

/** One connection through the proxy. */
class Link {
  readonly #client: Socket;
  readonly #server = new Socket({ allowHalfOpen: true });
  /** What is to be done once nothing holds it back any more. */
  readonly #held: (() => void)[] = [];
  #stalled = true;
  #frozen = false;
  #deaf = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Socket, target: number, closed: () => void) {
    const server = this.#server;
    this.#client = client;
    client.setNoDelay(true);
    server.setNoDelay(true);
    this.#pass(() => server.connect(target, "127.0.0.1"));
    client.on("data", (chunk) => this.#pass(() => server.write(chunk)));
    server.on("data", (chunk) => this.#pass(() => client.write(chunk)));
    client.on("end", () => {
      server.end();
      if (this.#deaf) client.end();
    });
    server.on("end", () => this.#deaf || this.#pass(() => client.end()));
    server.on("close", () => this.#deaf || this.#pass(() => client.end()));
    client.on("close", () => {
      clearTimeout(this.#timer);
      server.destroy();
      closed();
    });
    client.on("error", () => {});
    server.on("error", () => {});
  }

  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    if (this.#frozen) return;
    this.#stalled = false;
    for (const act of this.#held.splice(0)) act();
  }

  wait(delay: number): void {
    this.#timer = setTimeout(() => this.resume(), delay);
  }

  freeze(): void {
    this.#stalled = this.#frozen = true;
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  halfClose(side: Side): void {
    // A client must not learn from the server what happened behind its back.
    this.#deaf = side === "server";
    if (side === "client") this.#client.end();
    else this.#server.end();
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  #pass(act: () => void): void {
    if (this.#stalled) this.#held.push(act);
    else act();
  }
}
