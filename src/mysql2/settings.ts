/** The options of mysql2's pools, with their defaults there; durations are ms. */
export interface Settings {
  readonly connectionLimit: number;
  /** How many may wait while all connections are in use. */
  readonly queueLimit: number;
  readonly maxIdle: number;
  readonly idleTimeout: number;
  readonly connectTimeout: number;
  readonly resetOnRelease: boolean;
  readonly gracefulEnd: boolean;
  /** All that was given, for the driver. */
  readonly connection: Readonly<Record<string, unknown>>;
}

/** Reads them as mysql2 does, from the query of a URL too. */
export function settle(options: string | object): Settings {
  const given: Record<string, unknown> = typeof options === "string"
    ? { uri: options }
    : { ...options };
  const connection = { ...given };
  for (const [name, value] of Object.entries(fromUrl(given.uri))) {
    connection[name] ||= value;
  }
  const number = (name: string, otherwise: number) => {
    const value = Number(connection[name] ?? NaN);
    return Number.isNaN(value) ? otherwise : value;
  };
  const unlessZero = (name: string, otherwise: number, none: number) =>
    number(name, otherwise) || none;
  const max = Number.MAX_SAFE_INTEGER;
  const connectionLimit = unlessZero("connectionLimit", 10, max);
  return {
    connectionLimit,
    queueLimit: connection.waitForConnections ?? true
      ? unlessZero("queueLimit", 0, Infinity)
      : 0,
    maxIdle: number("maxIdle", connectionLimit),
    idleTimeout: number("idleTimeout", 60_000),
    connectTimeout: unlessZero("connectTimeout", 10_000, Infinity),
    resetOnRelease: Boolean(connection.resetOnRelease),
    gracefulEnd: Boolean(connection.gracefulEnd),
    connection,
  };
}

function fromUrl(url: unknown): Record<string, unknown> {
  if (typeof url !== "string") return {};
  const options: Record<string, unknown> = {};
  for (const [name, text] of new URL(url).searchParams) {
    try {
      options[name] = JSON.parse(text);
    } catch {
      // It is no JSON but a text, as mysql2 has it.
      options[name] = text;
    }
  }
  return options;
}
