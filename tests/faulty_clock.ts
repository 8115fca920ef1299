import { VirtualClock } from "./virtual_clock.ts";

/** A virtual clock that can be made to read, refuse and fire anything. */
export class FaultyClock extends VirtualClock {
  /** Reads the time instead of the clock. */
  reading: (() => unknown) | undefined = undefined;
  /** What `setTimeout` throws, if it does. */
  refusal: Error | undefined = undefined;
  /** Called before each timer that fires. */
  onFire: () => void = () => {};
  /** How many timers have fired. */
  fired = 0;
  /** Firing more timers than this throws. */
  mostFired = 10_000;

  override now(): number {
    const { reading } = this;
    return reading === undefined ? super.now() : reading() as number;
  }

  override setTimeout(
    callback: () => void,
    delay: number,
  ): ReturnType<VirtualClock["setTimeout"]> {
    if (this.refusal !== undefined) throw this.refusal;
    return super.setTimeout(() => {
      if (++this.fired > this.mostFired) throw new Error("Timers without end");
      this.onFire();
      callback();
    }, delay);
  }

  /** As fake timers that leave `performance.now` as it is: it stands still. */
  stop(): void {
    const now = super.now();
    this.reading = () => now;
  }

  /** As a wall clock that is set forward or back, which no timer minds. */
  shift(ms: number): void {
    this.reading = () => super.now() + ms;
  }

  /** Fires all timers there are, and those that they set. */
  async runAll(): Promise<void> {
    do await this.advance(2 ** 31); while (this.timers > 0);
  }
}
