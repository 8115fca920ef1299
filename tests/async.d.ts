// The npm mirror of `@std/async` ships no types: these are the signatures of
// the files of it that are used here.
declare module "@std/async/deadline" {
  export interface DeadlineOptions {
    signal?: AbortSignal;
  }

  export function deadline<T>(
    p: Promise<T>,
    ms: number,
    options?: DeadlineOptions,
  ): Promise<T>;
}

declare module "@std/async/delay" {
  export interface DelayOptions {
    signal?: AbortSignal;
    persistent?: boolean;
  }

  export function delay(ms: number, options?: DelayOptions): Promise<void>;
}

declare module "@std/async/poll" {
  export interface PollOptions {
    signal?: AbortSignal;
    interval?: number;
  }

  export function poll<T>(
    fn: () => T | Promise<T>,
    isDone: (result: T) => boolean,
    options?: PollOptions,
  ): Promise<T>;
}
