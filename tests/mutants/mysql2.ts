import type { Mutant } from "./mutant.ts";

const POOL = "src/mysql2/callback_pool.ts";
const PROMISES = "src/mysql2/promise_pool.ts";
const SESSION = "src/mysql2/session.ts";
const SETTINGS = "src/mysql2/settings.ts";

export const MYSQL2: readonly Mutant[] = [
  {
    name: "mysql2_promises_listen_for_ever",
    about: "the promise shape goes on to listen where nobody does to it",
    file: PROMISES,
    from: `if (isUnheard(name)) pool.off(event, tell);`,
    to: ``,
  },
  {
    name: "mysql2_promises_listen_twice",
    about: "what a second listener hears is told twice",
    file: PROMISES,
    from: `name === event && this.listenerCount(event) === 0;`,
    to: `name === event;`,
  },
  {
    name: "mysql2_no_rollback",
    about: "an open transaction reaches the next holder",
    file: POOL,
    from: `if (session.isClean && !resetOnRelease) this`,
    to: `if (!resetOnRelease) this`,
  },
  {
    name: "mysql2_no_reset",
    about: "a clean session is not reset with resetOnRelease",
    file: POOL,
    from: `if (session.isClean && !resetOnRelease) this`,
    to: `if (session.isClean) this`,
  },
  {
    name: "mysql2_always_rollback",
    about: "a rollback is asked at each release",
    file: SESSION,
    from: `flags === AUTOCOMMIT;`,
    to: `flags === -1;`,
  },
  {
    name: "mysql2_still_running",
    about: "what still runs is not waited for",
    file: SESSION,
    from: `return this.#running === 0 && flags`,
    to: `return flags`,
  },
  {
    name: "mysql2_failed_procedure",
    about: "what a failed command left open is not seen",
    file: SESSION,
    from: `      this.#status = UNKNOWN;
`,
    to: ``,
  },
  {
    name: "mysql2_no_autocommit",
    about: "what a read opens without autocommit is not seen",
    file: SESSION,
    from: `this.#status & (IN_TRANSACTION | AUTOCOMMIT)`,
    to: `this.#status & IN_TRANSACTION | AUTOCOMMIT`,
  },
  {
    name: "mysql2_row_as_status",
    about: "a row with a column serverStatus counts as the server's word",
    file: SESSION,
    from: `if (row === undefined) this`,
    to: `if (true) this`,
  },
  {
    name: "mysql2_lost_holder",
    about: "one that is lost while used keeps its slot until its release",
    file: SESSION,
    from: `    this.take()?.release();
`,
    to: ``,
  },
  {
    name: "mysql2_read_only",
    about: "one whose server became read-only is used again",
    file: SESSION,
    from: `      else if (READ_ONLY.includes(errno!)) this.#lost(error);
`,
    to: ``,
  },
  {
    name: "mysql2_stale_release",
    about: "a holder of before ends the hold of the next",
    file: PROMISES,
    from: `if (session.lease === lease) act();`,
    to: `act();`,
  },
  {
    name: "mysql2_endless_clean",
    about: "one that is never made fit keeps its slot",
    file: POOL,
    from:
      `const timer = this.#clock.setTimeout(() => session.destroy(), PATIENCE);`,
    to: `const timer = this.#clock.setTimeout(() => {}, PATIENCE);`,
  },
  {
    name: "mysql2_unfit_kept",
    about: "one that could not be made fit serves the next",
    file: POOL,
    from: `    } catch {
      lease.destroy();`,
    to: `    } catch {
      lease.release();`,
  },
  {
    name: "mysql2_queue_of_connects",
    about: "who waits for a connect of its own counts as queued",
    file: POOL,
    from: `if (pending - creating >= queueLimit)`,
    to: `if (pending >= queueLimit)`,
  },
  {
    name: "mysql2_no_farewell",
    about: "idle connections are cut off without a word",
    file: POOL,
    from: `if (ENDED.includes(reason)) connection`,
    to: `if (reason) connection`,
  },
  {
    name: "mysql2_endless_farewell",
    about: "one that does not hear its farewell stays",
    file: SESSION,
    from:
      `    signal.addEventListener("abort", () => connection.stream.destroy());
`,
    to: ``,
  },
  {
    name: "mysql2_trim_newest",
    about: "of more than maxIdle those used last leave",
    file: POOL,
    from: `([, a], [, b]) => a - b)`,
    to: `([, a], [, b]) => b - a)`,
  },
  {
    name: "mysql2_connect_leaks",
    about: "a connect that fails leaves its socket",
    file: POOL,
    from: `        if (error) {
          connection.stream.destroy();`,
    to: `        if (error) {`,
  },
  {
    name: "mysql2_connect_goes_on",
    about: "a connect that is given up goes on",
    file: POOL,
    from:
      `    signal.addEventListener("abort", () => connection.stream.destroy());
`,
    to: ``,
  },
  {
    name: "mysql2_end_waits",
    about: "the end waits for holders",
    file: POOL,
    from: `this.leases.close({ signal: AbortSignal.abort() })`,
    to: `this.leases.close()`,
  },
  {
    name: "mysql2_zero_connections",
    about: "a connectionLimit of 0 is no connection",
    file: SETTINGS,
    from: `number(name, otherwise) || none`,
    to: `number(name, otherwise)`,
  },
  {
    name: "mysql2_url_ignored",
    about: "options in a URL do not count",
    file: SETTINGS,
    from: `    connection[name] ||= value;`,
    to: ``,
  },
  {
    name: "mysql2_url_yields_to_undefined",
    about: "an option that is undefined hides that of the URL",
    file: SETTINGS,
    from: `    connection[name] ||= value;`,
    to: `    if (!(name in given)) connection[name] = value;`,
  },
  {
    name: "mysql2_promise_class_ignored",
    about: "the class of promises that is asked for is not used",
    file: POOL,
    from: `if (Wanted !== Promise) return new PromisePool(this, Wanted);`,
    to: ``,
  },
  {
    name: "mysql2_null_called_back",
    about: "a callback that is null is called",
    file: SESSION,
    from: `if (!onResult) return`,
    to: `if (onResult === undefined) return`,
  },
];
