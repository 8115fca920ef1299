import { delay } from "@std/async/delay";

/** While another process makes the file, it is locked. */
export async function openKv(path: string): Promise<Deno.Kv> {
  try {
    return await Deno.openKv(path);
  } catch (error) {
    if (!/database is locked/.test(`${error}`)) throw error;
    await delay(50);
    return await openKv(path);
  }
}
