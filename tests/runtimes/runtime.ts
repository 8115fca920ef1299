/** The runtimes beside Deno, as npm packages: no machine needs them before. */
export const BUN = "bun@1.4.5";
export const NODE = "node@26.10.0";

/** Lines of Node where every promise keeps the async context it was made in. */
export const OLDER_NODES = ["node@20.20.2", "node@22.23.3"];

/** Where npx has put the program of such a package. */
export async function executable(runtime: string): Promise<string> {
  const print = runtime.startsWith("deno@")
    ? ["eval", "--no-config", "console.log(Deno.execPath())"]
    : ["-e", "console.log(process.execPath)"];
  const { success, stdout } = await new Deno.Command("npx", {
    args: ["--yes", "--loglevel=error", runtime, ...print],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot install ${runtime} from npm`);
  return new TextDecoder().decode(stdout).trim();
}
