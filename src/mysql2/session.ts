import { errorMonitor } from "node:events";
import type { Lease } from "../lease.ts";
import type {
  Command,
  Connection,
  DriverError,
  Handshake,
  Header,
} from "./driver.ts";

/** Flags of the server's status; after an error it is not known. */
const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;
const UNKNOWN = 0;

/**
 * The server does not write any more: it was made read-only, as in a failover.
 * ER_OPTION_PREVENTS_STATEMENT, ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION and
 * ER_READ_ONLY_MODE.
 */
const READ_ONLY = [1290, 1792, 1836];

/** A connection, who holds it, and what is known of the state it is in. */
export class Session {
  readonly connection: Connection;
  /** Resolves when its socket is closed. */
  readonly closed: Promise<void>;
  /** That of its holder. */
  lease: Lease<Connection> | undefined;
  /** Tells the pool that nobody else is to get it. */
  readonly #lost: (error?: unknown) => void;
  readonly #quit: Connection["end"];
  /** The server's, as of its last answer. */
  #status: number;
  /** How many commands have not ended. */
  #running = 0;

  /** Adds to a connection what one of a pool has. */
  constructor(
    connection: Connection,
    { statusFlags }: Handshake,
    lost: (error?: unknown) => void,
    release: () => void,
    gracefulEnd: boolean,
  ) {
    this.connection = connection;
    this.#status = statusFlags;
    this.#lost = lost;
    this.#quit = connection.end;
    this.closed = new Promise((resolve) => {
      connection.stream.once("close", () => {
        this.end();
        resolve();
      });
    });
    connection.on("end", () => this.end());
    const { addCommand } = connection;
    connection.addCommand = (command) => {
      this.#watch(command);
      return addCommand.call(connection, command);
    };
    connection.release = release;
    connection.destroy = () => this.destroy();
    connection.end = (callback) => {
      if (gracefulEnd) this.take()?.destroy();
      else release();
      callback?.();
    };
  }

  /** Whether the server said, after all commands, that no transaction is open. */
  get isClean(): boolean {
    // Without autocommit, a read opens one and does not tell.
    const flags = this.#status & (IN_TRANSACTION | AUTOCOMMIT);
    return this.#running === 0 && flags === AUTOCOMMIT;
  }

  /** The lease of its holder, who has it no longer. */
  take(): Lease<Connection> | undefined {
    const { lease } = this;
    this.lease = undefined;
    return lease;
  }

  /** It has ended, whether its holder has noticed or not. */
  end(error?: unknown): void {
    this.#lost(error);
    this.take()?.release();
  }

  /** Ends it at once; what it was asked fails. */
  destroy(): void {
    this.connection.stream.destroy();
    this.end();
  }

  /** Ends it when it has answered, at once if the signal aborts. */
  quit(signal: AbortSignal): void {
    const { connection } = this;
    signal.addEventListener("abort", () => connection.stream.destroy());
    this.#quit.call(connection);
  }

  #watch(command: Command): void {
    this.#running++;
    command.once("end", () => this.#running--);
    command.on("result", (header: Header, row?: number) => {
      // A row has an index.
      if (row === undefined) this.#status = header.serverStatus;
    });
    const failed = (error: DriverError) => {
      this.#status = UNKNOWN;
      const { fatal, errno } = error;
      if (fatal) this.end(error);
      else if (READ_ONLY.includes(errno!)) this.#lost(error);
    };
    const { onResult } = command;
    // As there, a callback that is `null` is none.
    if (!onResult) return void command.on(errorMonitor, failed);
    command.onResult = (error, ...rest) => {
      if (error) failed(error);
      onResult.call(command, error, ...rest);
    };
  }
}
