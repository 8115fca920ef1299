/** How many listeners the signals of one scenario have. */
export interface ListenerCount {
  listeners: number;
}

/**
 * An AbortController that counts the listeners of its signal. Each that is new
 * is heard of before it is added, and after where that gives a function.
 */
export class CountedSignal extends AbortController {
  constructor(count: ListenerCount, heard: () => (() => void) | undefined) {
    super();
    const { signal } = this;
    const add = signal.addEventListener;
    const remove = signal.removeEventListener;
    const known = new Set<unknown>();
    signal.addEventListener = (
      ...args: Parameters<AbortSignal["addEventListener"]>
    ) => {
      const isNew = !known.has(args[1]);
      if (isNew) count.listeners++;
      known.add(args[1]);
      const after = isNew ? heard() : undefined;
      add.apply(signal, args);
      after?.();
    };
    signal.removeEventListener = (
      ...args: Parameters<AbortSignal["removeEventListener"]>
    ) => {
      if (known.delete(args[1])) count.listeners--;
      remove.apply(signal, args);
    };
  }
}
