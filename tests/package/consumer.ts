import { ROOT } from "../runtimes/bundle.ts";
import { asCommonJs, type Example } from "./example.ts";

/** The oldest that is promised, the last of the line that most have, the newest. */
export const COMPILERS = {
  "typescript-5.4": "npm:typescript@5.4.5",
  "typescript-5.9": "npm:typescript@5.9.3",
  "typescript-7.0": "npm:typescript@7.0.2",
};

/** Types of Node, by the folder of types that has them as `node`. */
const NODE_TYPES = {
  "types-20": "npm:@types/node@20.19.43",
  "types-26": "npm:@types/node@26.6.7",
};

export type Compiler = keyof typeof COMPILERS;

/** What a strict user of an old runtime has; `lib` has no `Disposable`. */
const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  isolatedModules: true,
  skipLibCheck: false,
  target: "es2022",
  outDir: "out",
};

/** What takes longer hangs. */
const DEADLINE = 120_000;

/** Where names come from that are neither of the language nor of the package. */
export type Surroundings = "node" | "dom";

/** Runs programs one after the other, and prints what each has printed. */
const RUNNER = `
const print = console.log;
const show = (value) =>
  typeof value === "object" ? JSON.stringify(value) : String(value);
const results = {};
for (const file of process.argv.slice(2)) {
  const lines = [];
  console.log = console.warn = (...values) =>
    lines.push(values.map(show).join(" "));
  try {
    await (await import("./out/" + file)).end;
    results[file] = { lines };
  } catch (error) {
    results[file] = { lines, failure: String(error.stack ?? error) };
  }
}
print(JSON.stringify(results));
`;

/** How a program went. */
export interface Run {
  readonly lines: string[];
  readonly failure?: string;
}

/** A project in an empty folder that has installed the package from npm. */
export class Consumer implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(examples: readonly Example[]): Promise<Consumer> {
    const consumer = new Consumer(await Deno.makeTempDir());
    const tarball = new URL(".cache/lease-pool.tgz", ROOT).pathname;
    const packages = Object.entries({ ...COMPILERS, ...NODE_TYPES })
      .map(([name, version]) => `${name}@${version}`);
    await consumer.#write("package.json", `{ "private": true }`);
    await consumer.#write("run.mjs", RUNNER);
    for (const example of examples) {
      await consumer.#write(`${example.name}.mts`, example.text);
      await consumer.#write(`${example.name}.cts`, asCommonJs(example));
    }
    const { code, output } = await consumer.#run("npm", "install", ...[
      ...["--no-audit", "--no-fund", "--silent", tarball],
      ...packages,
    ]);
    if (code !== 0) throw new Error(`npm install failed: ${output}`);
    for (const name of Object.keys(NODE_TYPES)) {
      await Deno.mkdir(`${consumer.folder}/${name}`);
      const installed = `${consumer.folder}/node_modules/${name}`;
      await Deno.symlink(installed, `${consumer.folder}/${name}/node`);
    }
    return consumer;
  }

  /** What the installed package says of itself. */
  async manifest(): Promise<Record<string, unknown>> {
    const file = `${this.folder}/node_modules/@lease/pool/package.json`;
    return JSON.parse(await Deno.readTextFile(file));
  }

  /** Checks programs and compiles them; gives what the compiler has to say. */
  async compile(
    compiler: Compiler,
    surroundings: Surroundings,
    files: readonly string[],
    options: object = { module: "nodenext" },
  ): Promise<string> {
    const old = compiler === "typescript-5.4";
    const config = {
      compilerOptions: {
        ...STRICT,
        ...options,
        ...surroundings === "node"
          ? {
            lib: ["es2022"],
            types: ["node"],
            typeRoots: [old ? "types-20" : "types-26"],
          }
          : { lib: ["es2022", "dom"], types: [] },
      },
      files,
    };
    await this.#write("tsconfig.json", JSON.stringify(config));
    const program = `node_modules/${compiler}/bin/tsc`;
    const { code, output } = await this.#run("node", program, "-p", ".");
    return code === 0 ? "" : output || `tsc ended with ${code}`;
  }

  /** Whether the types of an entry name modules of Node. */
  async needsNode(file: string): Promise<boolean> {
    const folder = new URL("./", new URL(file, "file:///")).pathname;
    const types = `${this.folder}/node_modules/@lease/pool${folder}`;
    for await (const { name } of Deno.readDir(types)) {
      if (!name.endsWith(".d.ts")) continue;
      const text = await Deno.readTextFile(types + name);
      if (/ from "node:/.test(text)) return true;
    }
    return false;
  }

  /** Runs compiled programs on a runtime, in one process. */
  async runAll(
    runtime: readonly string[],
    files: readonly string[],
  ): Promise<Record<string, Run>> {
    const [program, ...args] = runtime;
    const { code, output } = await this.#run(
      program!,
      ...args,
      "run.mjs",
      ...files,
    );
    if (code !== 0) throw new Error(`${program} ended with ${code}: ${output}`);
    return JSON.parse(output.trimEnd().split("\n").at(-1)!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }

  async #run(
    program: string,
    ...args: string[]
  ): Promise<{ code: number; output: string }> {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      cwd: this.folder,
      stdin: "null",
      signal: AbortSignal.timeout(DEADLINE),
    }).output();
    const output = [stderr, stdout]
      .map((bytes) => new TextDecoder().decode(bytes)).join("");
    return { code, output };
  }

  async #write(file: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/${file}`, text);
  }
}
