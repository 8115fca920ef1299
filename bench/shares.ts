/** What the profilers have found: results/profile.txt, written and read. */

/** The largest shares on each runtime, as a line of text. */
export type Shares = ReadonlyMap<string, string>;

/** Shares by the question and the case, as `title` puts them. */
export type Profiles = ReadonlyMap<string, Shares>;

const FILE = new URL("results/profile.txt", import.meta.url);

export function title(question: string, name: string): string {
  return `${question}, ${name}`;
}

/** A title and under it a line for each runtime. */
export function section(title: string, shares: Shares): string {
  const width = Math.max(...[...shares.keys()].map(({ length }) => length));
  const lines = [...shares].map(([runtime, line]) =>
    `${runtime.padEnd(width)}  ${line}`
  );
  return [title, "", ...lines].join("\n");
}

export async function writeProfiles(text: string): Promise<void> {
  await Deno.writeTextFile(FILE, text);
}

/** What the last `deno task bench:profile` has found; nothing if none was. */
export async function readProfiles(): Promise<Profiles> {
  const text = await Deno.readTextFile(FILE).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  const parts = text.trimEnd().split("\n\n");
  const profiles = new Map<string, Shares>();
  for (let i = 1; i + 1 < parts.length; i += 2) {
    const lines = parts[i + 1]!.split("\n").map((line) => line.split(/ {2,}/));
    const shares = lines.map(([name, line]) => [name!, line!] as const);
    profiles.set(parts[i]!, new Map(shares));
  }
  return profiles;
}
