import type { Clock } from "../clock.ts";

/** How many listen at most. */
const SEATS = 32;

/** How often they are told, in ms. */
const PACE = 1_000;

/** A state that is younger, in ms, is told to others as well. */
const FRESH = PACE / 2;

/** One who has read nothing for so long, in ms, has gone. */
const PATIENCE = 30_000;

/** One whose timer has not run for so long, in ms, has lost it. */
const SILENCE = 5_000;

interface Listener {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** When it had read all it was told. */
  readAt: number;
  /** When its timer ran last. */
  ranAt: number;
  timer: unknown;
  /** What it was told last, but for the first. */
  told: Uint8Array | undefined;
  hasLeft: boolean;
}

/**
 * Those who listen to `/events`. Each is told the newest state when it has read
 * the one before, so that a slow one holds one state and hinders nobody; while
 * nobody listens nothing is done. Each has a timer of its own, as a Worker's ends
 * with the request that set it: nobody is told there when somebody leaves.
 */
export class Audience {
  readonly #clock: Clock;
  readonly #state: () => string;
  readonly #listeners = new Set<Listener>();
  readonly #encoder = new TextEncoder();
  /** What was told last, and when that was made. */
  #told = new Uint8Array();
  #toldAt = -Infinity;
  #isOver = false;

  constructor(clock: Clock, state: () => string) {
    this.#clock = clock;
    this.#state = state;
  }

  /** A stream of server-sent events, or `undefined` if nobody more may listen. */
  listen(): ReadableStream<Uint8Array> | undefined {
    const now = this.#clock.now();
    for (const listener of this.#listeners) {
      if (now - listener.ranAt > SILENCE) this.#listeners.delete(listener);
    }
    if (this.#isOver || this.#listeners.size >= SEATS) return undefined;
    // How soon a browser that lost us tries again, in ms. What it throws is for the
    // caller: not every runtime passes on what is thrown in `start`.
    const first = this.#encoder.encode(`retry: ${PACE}\n${this.#event()}`);
    let listener: Listener;
    return new ReadableStream({
      start: (controller) => {
        listener = {
          ...{ controller, readAt: now, ranAt: now },
          ...{ timer: undefined, told: undefined, hasLeft: false },
        };
        controller.enqueue(first);
        this.#listeners.add(listener);
        this.#wait(listener);
      },
      cancel: () => this.#leave(listener),
    });
  }

  /** All streams end. */
  close(): void {
    this.#isOver = true;
    for (const listener of this.#listeners) this.#end(listener);
  }

  #wait(listener: Listener): void {
    listener.timer = this.#clock.setTimeout(() => this.#tell(listener), PACE);
    (listener.timer as { unref?: () => void } | undefined)?.unref?.();
  }

  #tell(listener: Listener): void {
    const { controller, readAt, hasLeft } = listener;
    // While it was told, or where a clock forgets no timer.
    if (hasLeft) return;
    const now = listener.ranAt = this.#clock.now();
    const isReady = controller.desiredSize! > 0;
    const isGone = !isReady && now - readAt >= PATIENCE;
    if (isGone || !this.#listeners.has(listener)) return this.#end(listener);
    try {
      if (isReady) {
        controller.enqueue(this.#news(listener, now));
        listener.readAt = now;
      }
      this.#wait(listener);
    } catch (error) {
      // Thrown here it would end the process.
      this.#leave(listener);
      controller.error(error);
    }
  }

  #end(listener: Listener): void {
    this.#leave(listener);
    listener.controller.close();
  }

  #leave(listener: Listener): void {
    listener.hasLeft = true;
    this.#listeners.delete(listener);
    this.#clock.clearTimeout(listener.timer);
  }

  /** Made once for all whose timers are near each other, and new to each. */
  #news(listener: Listener, now: number): Uint8Array {
    const isOld = Math.abs(now - this.#toldAt) >= FRESH;
    // Where the clock stands still, nothing grows old.
    if (isOld || listener.told === this.#told) {
      this.#told = this.#encoder.encode(this.#event());
      this.#toldAt = now;
    }
    return listener.told = this.#told;
  }

  #event(): string {
    return `data: ${this.#state()}\n\n`;
  }
}
