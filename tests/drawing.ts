import { draws } from "../src/policy/jitter.ts";

/** Has every random draw of the pools give this, until it is disposed of. */
export function drawing(draw: number): Disposable {
  const { random } = draws;
  draws.random = () => draw;
  return {
    [Symbol.dispose]() {
      draws.random = random;
    },
  };
}
