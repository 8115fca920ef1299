/** The processes that a part of the bench consists of. */
import { linesOf } from "../../tests/services/lines.ts";
import { deno, PROGRAM } from "../program.ts";

const OUTPUT = new URL("fleet/", PROGRAM);
const FILES = ["permit", "creates", "queries"];

/** Bundles them: else they wait for one another to look at all their packages. */
export async function prepare(): Promise<void> {
  await deno(
    ...["bundle", "--quiet", "--lock=bench/deno.lock", "--code-splitting"],
    `--outdir=${OUTPUT.pathname}`,
    ...FILES.map((name) => `bench/fleet/${name}.ts`),
  );
}

/** Runs these at the same time, from when all are ready; gives what each found. */
export async function together<Task, Found>(
  file: string,
  tasks: readonly Task[],
): Promise<Found[]> {
  const children = tasks.map((task) =>
    new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-all", "--quiet", "--unstable-kv"],
        ...["--no-config", "--no-lock", "--v8-flags=--expose-gc"],
        ...[new URL(`${file}.js`, OUTPUT).pathname, JSON.stringify(task)],
      ],
      ...{ stdin: "piped", stdout: "piped", stderr: "inherit" },
    }).spawn()
  );
  const lines = children.map(({ stdout }) => linesOf(stdout));
  try {
    for (const line of lines) await line.next();
    await Promise.all(children.map(async ({ stdin }) => {
      const input = stdin.getWriter();
      await input.write(new TextEncoder().encode("\n"));
      await input.close();
    }));
    return await Promise.all(lines.map(async (line) => {
      const { value } = await line.next();
      if (value === undefined) throw new Error(`${file} has ended too soon`);
      return JSON.parse(value);
    }));
  } finally {
    for (const child of children) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    }
    for (const line of lines) while (!(await line.next()).done);
  }
}

/** In such a process: says that it is ready, and waits until all are. */
export async function ready(): Promise<void> {
  console.log("ready");
  await Deno.stdin.read(new Uint8Array(1));
}
