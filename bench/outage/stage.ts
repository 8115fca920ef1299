/// <reference path="../../tests/assert.d.ts" />
/// <reference path="../../tests/async.d.ts" />

import { PostgresConnection } from "../../examples/postgres_connection.ts";
import type { PostgresServer } from "../../examples/postgres_server.ts";
import type { TcpProxy } from "../../tests/services/tcp_proxy.ts";
import { until } from "../../tests/fixture.ts";
import type { Settings } from "./contender.ts";
import { Crowd } from "./crowd.ts";
import { type Load, now, type Request } from "./load.ts";

/** The role of the contenders: no superuser, who could pass its limits. */
export const ROLE = "pooled";

/** How much longer than its clients' patience a load may take to settle. */
const MARGIN = 5_000;

/** How a scene wants its contenders. */
export interface StageSettings extends Omit<Settings, "url"> {
  /** Whether they connect through the proxy. */
  proxied: boolean;
}

/** One contender before a server, and the hands that things go wrong by. */
export class Stage implements AsyncDisposable {
  readonly server: PostgresServer;
  readonly proxy: TcpProxy;
  readonly crowd: Crowd;
  readonly #patience: number;
  /** When the fault began and when it was over, in ms of the epoch. */
  #begun = now();
  #over: number | undefined;
  /** How many connects there had been when it began and when it was over. */
  #before = 0;
  #until = 0;

  constructor(
    server: PostgresServer,
    proxy: TcpProxy,
    subject: string,
    { proxied, ...settings }: StageSettings,
  ) {
    const url = new URL(server.url);
    if (proxied) url.port = `${proxy.port}`;
    url.username = ROLE;
    this.server = server;
    this.proxy = proxy;
    this.#patience = settings.patience;
    this.crowd = new Crowd(subject, { url: url.href, ...settings });
  }

  /** Runs a statement as the superuser, past the proxy. */
  async administer(text: string): Promise<void> {
    await administer(this.server, text);
  }

  /** Puts a load on the pool and waits until each request has ended. */
  put(load: Load): Promise<Request[]> {
    const { times = 1, clients, every = 0, duration } = load;
    const work = duration ?? times * this.#patience;
    return this.crowd.put(
      load,
      clients * every + work + this.#patience + MARGIN,
    );
  }

  /** Waits until the process runs, and has so many connections. */
  async warm(count: number): Promise<void> {
    const texts = [`select pg_sleep(${count > 0 ? 0.3 : 0})`];
    await this.put({ texts, clients: count, times: 1 });
  }

  /** From here on connects are counted. */
  begin(): void {
    this.#begun = now();
    this.#before = this.crowd.connects;
  }

  /** From here on they are not counted into the rate any more. */
  async end(): Promise<void> {
    this.#over = now();
    await this.warm(0);
    this.#until = this.crowd.connects;
  }

  /** How many connects there have been since the beginning. */
  get connects(): number {
    return this.crowd.connects - this.#before;
  }

  /** How many of them a second while the fault lasted, if it lasted. */
  get rate(): number | undefined {
    if (this.#over === undefined) return undefined;
    const seconds = (this.#over - this.#begun) / 1_000;
    return (this.#until - this.#before) / seconds;
  }

  /** When the fault was over, in ms of the epoch. */
  get over(): number | undefined {
    return this.#over;
  }

  /** Ends the contender, and waits until the server has forgotten it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.crowd[Symbol.asyncDispose]();
    this.proxy.delay = 0;
    this.proxy.hang(0);
    this.proxy.reset();
    await until(() => this.#isForgotten(), { deadline: MARGIN });
  }

  async #isForgotten(): Promise<boolean> {
    const text = `select 1 from pg_stat_activity where usename = '${ROLE}'`;
    return (await administer(this.server, text)).length === 0;
  }
}

/** Runs statements as the superuser; returns the rows of the last. */
export async function administer(
  { url }: PostgresServer,
  ...texts: string[]
): Promise<unknown[]> {
  const connection = await PostgresConnection.open(url, {
    name: "stage",
    signal: AbortSignal.timeout(MARGIN),
  });
  let rows: unknown[] = [];
  for (const text of texts) rows = await connection.query(text);
  await connection.close();
  return rows;
}
