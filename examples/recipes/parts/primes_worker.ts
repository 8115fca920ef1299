/** Counts primes, says how far it has got, and looks if it is to stop. */

interface Task {
  limit: number;
  /** Not 0 as soon as nobody wants the result. */
  stop: Int32Array;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Task>) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = ({ data: { limit, stop } }) => {
  if (limit < 0) return scope.postMessage({ failure: "no limit is negative" });
  if (limit > 1e9) throw new Error("out of memory");
  const step = Math.ceil(limit / 10);
  let count = 0;
  for (let n = 2; n < limit; n++) {
    if (isPrime(n)) count++;
    if (n % step === 0) scope.postMessage({ progress: n / limit });
    if (n % 1_000 === 0 && Atomics.load(stop, 0) !== 0) {
      return scope.postMessage({ stopped: true });
    }
  }
  scope.postMessage({ result: count });
};

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) {
    if (n % divisor === 0) return false;
  }
  return true;
}
