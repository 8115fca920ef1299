import type { Mutant } from "./mutant.ts";

/** Some of the mutants, others for each commit; says which, to rerun them. */
export async function sample(
  mutants: readonly Mutant[],
  size: number,
  project: string,
): Promise<Mutant[]> {
  const seed = await commit(project) ?? await content(mutants, project);
  const ranks = await Promise.all(
    mutants.map(async (mutant) => ({
      mutant,
      rank: await digest(`${seed} ${mutant.name}`),
    })),
  );
  const chosen = ranks.sort((a, b) => a.rank < b.rank ? -1 : 1)
    .slice(0, size).map(({ mutant }) => mutant);
  const names = chosen.map(({ name }) => name).join(" ");
  console.log(`Sample of ${seed}: deno task mutants ${names}`);
  return chosen;
}

/** The commit, where there is a repository. */
async function commit(project: string): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["rev-parse", "HEAD"],
      cwd: project,
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/** A hash of the code that mutants are planted in. */
async function content(
  mutants: readonly Mutant[],
  project: string,
): Promise<string> {
  const files = new Set(mutants.map(({ file }) => file));
  const texts: string[] = [];
  for (const file of [...files].sort()) {
    texts.push(await Deno.readTextFile(project + file));
  }
  return await digest(texts.join("\n"));
}

async function digest(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(hash).toHex();
}
