import process from "node:process";

/** Cases of one program by name, and why each failed; `null` if it did not. */
const failures: Record<string, string | null> = {};

/** Runs one, and goes on whatever comes of it. */
export async function runCase(
  name: string,
  fn: () => void | Promise<void>,
): Promise<void> {
  try {
    await fn();
    failures[name] = null;
  } catch (error) {
    failures[name] = error instanceof Error ? error.message : String(error);
  }
}

/** Prints them as one line of JSON, and ends the program. */
export function conclude(): never {
  console.log(JSON.stringify(failures));
  process.exit();
}
