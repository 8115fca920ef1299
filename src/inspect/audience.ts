import type { Clock } from "../clock.ts";

/** How many listen at most. */
const SEATS = 32;

/** How often they are told, in ms. */
const PACE = 1_000;

/** One who has read nothing for so long, in ms, has gone. */
const PATIENCE = 30_000;

interface Listener {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** When it had read all it was told. */
  readAt: number;
}

/**
 * Those who listen to `/events`. Each is told the newest state when it has read
 * the one before, so that a slow one holds one state and hinders nobody; while
 * nobody listens nothing is done.
 */
export class Audience {
  readonly #clock: Clock;
  readonly #state: () => string;
  readonly #listeners = new Set<Listener>();
  readonly #encoder = new TextEncoder();
  #timer: unknown = undefined;
  #isOver = false;

  constructor(clock: Clock, state: () => string) {
    this.#clock = clock;
    this.#state = state;
  }

  /** A stream of server-sent events, or `undefined` if nobody more may listen. */
  listen(): ReadableStream<Uint8Array> | undefined {
    if (this.#isOver || this.#listeners.size >= SEATS) return undefined;
    let listener: Listener;
    return new ReadableStream({
      start: (controller) => {
        listener = { controller, readAt: this.#clock.now() };
        // How soon a browser that lost us tries again, in ms.
        controller.enqueue(this.#bytes(`retry: ${PACE}\n${this.#event()}`));
        this.#listeners.add(listener);
        if (this.#timer === undefined) this.#wait();
      },
      cancel: () => this.#leave(listener),
    });
  }

  /** All streams end. */
  close(): void {
    this.#isOver = true;
    for (const listener of this.#listeners) this.#end(listener);
  }

  #tell(): void {
    const now = this.#clock.now();
    const ready: Listener[] = [];
    for (const listener of this.#listeners) {
      if (listener.controller.desiredSize! > 0) ready.push(listener);
      else if (now - listener.readAt >= PATIENCE) this.#end(listener);
    }
    if (ready.length > 0) {
      const bytes = this.#bytes(this.#event());
      for (const listener of ready) {
        listener.readAt = now;
        listener.controller.enqueue(bytes);
      }
    }
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
      if (this.#listeners.size > 0) this.#wait();
    }, PACE);
    (this.#timer as { unref?: () => void } | undefined)?.unref?.();
  }

  #end(listener: Listener): void {
    this.#leave(listener);
    listener.controller.close();
  }

  #leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0 || this.#timer === undefined) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #event(): string {
    return `data: ${this.#state()}\n\n`;
  }

  #bytes(text: string): Uint8Array {
    return this.#encoder.encode(text);
  }
}
