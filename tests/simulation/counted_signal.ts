/** How many listeners the signals of one scenario have. */
export interface ListenerCount {
  listeners: number;
}

/** An AbortController that counts the listeners of its signal. */
export class CountedSignal extends AbortController {
  constructor(count: ListenerCount) {
    super();
    const { signal } = this;
    const add = signal.addEventListener;
    const remove = signal.removeEventListener;
    const known = new Set<unknown>();
    signal.addEventListener = (
      ...args: Parameters<AbortSignal["addEventListener"]>
    ) => {
      if (!known.has(args[1])) count.listeners++;
      known.add(args[1]);
      add.apply(signal, args);
    };
    signal.removeEventListener = (
      ...args: Parameters<AbortSignal["removeEventListener"]>
    ) => {
      if (known.delete(args[1])) count.listeners--;
      remove.apply(signal, args);
    };
  }
}
