/** Somebody who may come more than once, and leaves with the last. */
export interface Seat {
  /** How often it was added and not taken away since. */
  times: number;
}

/** Counts once more until the Disposable is used; the last calls `left`. */
export function occupy(seat: Seat, left: () => void): Disposable {
  seat.times++;
  let isOver = false;
  return {
    [Symbol.dispose]: () => {
      if (isOver) return;
      isOver = true;
      if (--seat.times === 0) left();
    },
  };
}
