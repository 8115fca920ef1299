import type { Outcome } from "./peer.ts";

/** A suite that takes longer hangs. */
const DEADLINE = 15 * 60_000;

export interface CommandOptions {
  readonly cwd: URL;
  readonly env?: Record<string, string>;
}

/** Runs a program and gives what it wrote, whatever its exit code. */
export async function output(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: CommandOptions,
): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(DEADLINE),
  }).output();
  const [text, errors] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { success, text: `${text}${errors}` };
}

/** Runs a program that must succeed. */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<void> {
  const { success, text } = await output(program, args, options);
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${text}`);
}

/** Forgets what a package is developed with, which is not to be installed. */
export async function pare(cwd: URL): Promise<void> {
  const fields = ["devDependencies", "peerDependencies"];
  await run("npm", ["pkg", "delete", ...fields], { cwd });
}

/** Installs packages of npm into a folder, beside those its package.json names. */
export async function install(
  cwd: URL,
  ...packages: readonly string[]
): Promise<void> {
  const quiet = ["--no-audit", "--no-fund", "--no-save", "--workspaces=false"];
  await run("npm", ["install", ...quiet, ...packages], { cwd });
}

/**
 * Runs mocha of the folder, and reads its report. What fails is tried twice more:
 * suites that wait for real time fail on cores that others use as well.
 */
export async function mocha(
  args: readonly string[],
  { cwd, env }: CommandOptions,
): Promise<Outcome> {
  const report = await Deno.makeTempFile({ suffix: ".json" });
  const reporter = ["--reporter=json", `--reporter-option=output=${report}`];
  const command = ["mocha", "--exit", "--retries=2", ...reporter, ...args];
  const { text } = await output("npx", command, { cwd, ...env && { env } });
  const json = await Deno.readTextFile(report);
  await Deno.remove(report);
  if (json === "") throw new Error(`mocha did not report:\n${text}`);
  const { stats, failures }: {
    stats: { passes: number };
    failures: { fullTitle: string; err: { message?: string } }[];
  } = JSON.parse(json);
  return {
    passed: stats.passes,
    failed: failures.map(({ fullTitle, err }) => ({
      title: fullTitle,
      message: err.message ?? "",
    })),
  };
}
