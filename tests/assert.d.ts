// The npm mirror of `@std/assert` ships no types: these are the signatures of
// the assertions, in the order of its documentation.
declare module "@std/assert" {
  // deno-lint-ignore no-explicit-any
  type Constructor<T> = abstract new (...args: any[]) => T;
  type Message = string | undefined;

  export class AssertionError extends Error {}

  export function assert(
    condition: unknown,
    message?: Message,
  ): asserts condition;
  export function assertFalse(
    condition: unknown,
    message?: Message,
  ): asserts condition is false | 0 | "" | null | undefined;
  export function assertExists<T>(
    actual: T,
    message?: Message,
  ): asserts actual is NonNullable<T>;

  export function assertEquals<T>(
    actual: T,
    expected: T,
    message?: Message,
  ): void;
  export function assertNotEquals<T>(
    actual: T,
    expected: T,
    message?: Message,
  ): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    message?: Message,
  ): asserts actual is T;
  export function assertNotStrictEquals<T>(
    actual: T,
    expected: T,
    message?: Message,
  ): void;
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    message?: Message,
  ): void;

  export function assertGreater<T>(
    actual: T,
    expected: T,
    message?: Message,
  ): void;
  export function assertGreaterOrEqual<T>(
    actual: T,
    expected: T,
    message?: Message,
  ): void;
  export function assertLess<T>(
    actual: T,
    expected: T,
    message?: Message,
  ): void;
  export function assertLessOrEqual<T>(
    actual: T,
    expected: T,
    message?: Message,
  ): void;

  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    message?: Message,
  ): void;
  export function assertStringIncludes(
    actual: string,
    expected: string,
    message?: Message,
  ): void;
  export function assertMatch(
    actual: string,
    expected: RegExp,
    message?: Message,
  ): void;
  export function assertNotMatch(
    actual: string,
    expected: RegExp,
    message?: Message,
  ): void;
  export function assertObjectMatch(
    actual: object,
    expected: object,
    message?: Message,
  ): void;

  export function assertInstanceOf<T>(
    actual: unknown,
    expected: Constructor<T>,
    message?: Message,
  ): asserts actual is T;
  export function assertNotInstanceOf<T, U>(
    actual: T,
    unexpected: Constructor<U>,
    message?: Message,
  ): asserts actual is Exclude<T, U>;
  export function assertIsError<E extends Error = Error>(
    error: unknown,
    errorClass?: Constructor<E>,
    messageMatches?: string | RegExp,
    message?: Message,
  ): asserts error is E;

  export function assertThrows(fn: () => unknown, message?: Message): unknown;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    errorClass: Constructor<E>,
    messageIncludes?: string,
    message?: Message,
  ): E;
  export function assertRejects(
    fn: () => PromiseLike<unknown>,
    message?: Message,
  ): Promise<unknown>;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass: Constructor<E>,
    messageIncludes?: string,
    message?: Message,
  ): Promise<E>;

  export function equal(a: unknown, b: unknown): boolean;
  export function fail(message?: Message): never;
  export function unimplemented(message?: Message): never;
  export function unreachable(reason?: Message): never;
}
