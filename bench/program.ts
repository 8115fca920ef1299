/** The program that runs in the processes, and what runs it. */
import { globSync } from "node:fs";
import { BUN, executable, NODE } from "../tests/runtimes/runtime.ts";

/** The project. */
export const ROOT = new URL("../", import.meta.url);
const LOCK = "bench/deno.lock";

/** The folder of the bundled program: Bun and Node do not read deno.json. */
export const PROGRAM = new URL(".cache/bench/", ROOT);

/** A runtime, and the command that starts a bundled file in it. */
export interface Runtime {
  name: string;
  version: string;
  command: readonly [string, ...string[]];
}

/** Puts each question and each subject into a file of its own. */
export async function bundle(): Promise<void> {
  await Deno.remove(PROGRAM, { recursive: true }).catch(() => {});
  await deno(
    "bundle",
    "--quiet",
    `--lock=${LOCK}`,
    "--code-splitting",
    `--outdir=${PROGRAM.pathname}`,
    "bench/process.ts",
    ...globSync(["bench/*_bench.ts", "bench/subjects/*.ts"], {
      cwd: ROOT.pathname,
    }),
  );
  await cutObserver();
}

/** Makes a subject of the package as it is in this checkout of the project. */
export async function bundleOurs(
  checkout: URL,
  subject: string,
): Promise<void> {
  const ours = await Deno.readTextFile(new URL("bench/subjects/ours.ts", ROOT));
  const file = new URL(`${subject}.ts`, PROGRAM);
  await Deno.writeTextFile(
    file,
    ours
      .replace("../../mod.ts", new URL("mod.ts", checkout).href)
      .replace("../subject.ts", new URL("bench/subject.ts", ROOT).href),
  );
  const output = new URL(`subjects/${subject}.js`, PROGRAM).pathname;
  await deno("bundle", "--quiet", `--output=${output}`, file.pathname);
}

/** Makes a subject of ours with what an absent observer costs cut out. */
async function cutObserver(): Promise<void> {
  const source = await deno("bundle", "--quiet", "bench/subjects/ours.ts");
  const cut = source.replaceAll(/this\.(isObserved|#tells)\b(?! =)/g, "false");
  if (cut === source) throw new Error("No test for an observer in the source");
  await Deno.writeTextFile(new URL("subjects/unobserved.js", PROGRAM), cut);
}

/** The runtimes of these names; Bun and Node come from npm. */
export async function runtimes(names: readonly string[]): Promise<Runtime[]> {
  return await Promise.all(names.map(async (name): Promise<Runtime> => {
    const command = await COMMANDS[name]!();
    const [program] = command;
    const version = name === "deno"
      ? Deno.version.deno
      : (await output(program, "--version")).trim().replace(/^v/, "");
    return { name, version, command };
  }));
}

const COMMANDS: Record<string, () => Promise<[string, ...string[]]>> = {
  node: async () => [await executable(NODE), "--expose-gc"],
  deno: () =>
    Promise.resolve([
      Deno.execPath(),
      "run",
      "--allow-all",
      "--quiet",
      "--no-config",
      "--no-lock",
      "--v8-flags=--expose-gc",
    ]),
  bun: async () => [await executable(BUN)],
};

export const RUNTIMES = Object.keys(COMMANDS);

/** Runs a command of Deno in the project and returns what it prints. */
export function deno(...args: string[]): Promise<string> {
  return output(Deno.execPath(), ...args);
}

async function output(program: string, ...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(program, {
    args,
    cwd: ROOT,
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${program} ${args[0]} has failed`);
  return new TextDecoder().decode(stdout);
}
