import type { Ledger, Versioned } from "../src/fleet/mod.ts";

/** What a ledger keeps, in memory, and how often it was asked. */
export class MemoryEngine {
  value = "";
  #version = 0;
  readonly watchers: Set<(version: string) => void> = new Set();
  reads = 0;
  swaps = 0;
  /** Of those, how many came too late. */
  beaten = 0;

  get version(): string {
    return `${this.#version}`;
  }

  swap(version: string, value: string): string | undefined {
    this.swaps++;
    if (version !== this.version) {
      this.beaten++;
      return undefined;
    }
    this.value = value;
    this.#version++;
    for (const changed of this.watchers) changed(this.version);
    return this.version;
  }

  /** How many permits are in the book. */
  get taken(): number {
    const { members } = JSON.parse(this.value) as { members: number[][] };
    return members.reduce((all, row) => all + row[3]! + row[4]!, 0);
  }

  get members(): number {
    return this.value === "" ? 0 : JSON.parse(this.value).members.length;
  }
}

/** The way of one member to it. */
export class MemoryLedger implements Ledger {
  readonly #engine: MemoryEngine;
  /** Fails, hangs, or loses the answers of writes. */
  state: "works" | "fails" | "hangs" | "loses" = "works";
  isWatched = false;
  /** Writes that hang; each gives what it comes to when it is let go on. */
  readonly late: (() => string | undefined)[] = [];

  constructor(engine: MemoryEngine) {
    this.#engine = engine;
  }

  async read(): Promise<Versioned> {
    await this.#pass();
    this.#engine.reads++;
    return { value: this.#engine.value, version: this.#engine.version };
  }

  async swap(version: string, value: string): Promise<string | undefined> {
    const swap = () => this.#engine.swap(version, value);
    if (this.state === "hangs") this.late.push(swap);
    await this.#pass();
    const answer = swap();
    if (this.state === "loses") throw new Error("lost");
    return answer;
  }

  watch(changed: (version: string) => void): () => Promise<void> {
    this.isWatched = true;
    const heard = (version: string) => {
      if (this.state === "works") changed(version);
    };
    this.#engine.watchers.add(heard);
    return () => {
      this.#engine.watchers.delete(heard);
      this.isWatched = false;
      return Promise.resolve();
    };
  }

  async #pass(): Promise<void> {
    if (this.state === "fails") throw new Error("gone");
    if (this.state === "hangs") await new Promise(() => {});
    await undefined;
  }
}
