/** A call of `pause`, and what it gave. */
export interface Pause {
  readonly signal: AbortSignal | undefined;
  readonly epoch: number;
  /** Whether the pool was closed before. */
  readonly isRefused: boolean;
  /** Whether nothing may be handed out because of it. */
  isOn: boolean;
  state: "asked" | "held" | "over";
  end: (() => void) | undefined;
}

/** The pauses of a pool. */
export class PauseWatch {
  /** Those that have neither ended nor been rejected. */
  readonly pauses: Set<Pause> = new Set();

  ask(
    signal: AbortSignal | undefined,
    epoch: number,
    isRefused: boolean,
  ): Pause {
    const pause: Pause = {
      ...{ signal, epoch, isRefused, isOn: false },
      ...{ state: "asked", end: undefined },
    };
    this.pauses.add(pause);
    return pause;
  }

  over(pause: Pause): void {
    pause.isOn = false;
    pause.state = "over";
    this.pauses.delete(pause);
  }

  /** A signal aborts: those that wait end, unless they have been told already. */
  abort(signal: AbortSignal): void {
    for (const pause of this.asked) {
      if (pause.signal === signal) pause.isOn = false;
    }
  }

  /** Those that wait for what is used. */
  get asked(): Pause[] {
    return [...this.pauses].filter(({ state }) => state === "asked");
  }

  get isOn(): boolean {
    return this.onSince < Infinity;
  }

  /** The first epoch in which one began that is on. */
  get onSince(): number {
    let first = Infinity;
    for (const { isOn, epoch } of this.pauses) {
      if (isOn) first = Math.min(first, epoch);
    }
    return first;
  }
}
