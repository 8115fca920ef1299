/** Splits `max` slots over `n` stripes; the first `max mod n` get one more. */
export function split(max: number, n: number): number[] {
  const least = Math.floor(max / n);
  const more = max % n;
  return Array.from({ length: n }, (_, i) => i < more ? least + 1 : least);
}

/**
 * The home stripe of an affinity among `n`: a number mod n, as the seed's
 * thread id; a string by its 32-bit FNV-1a hash over UTF-16 code units.
 */
export function home(affinity: string | number, n: number): number {
  if (typeof affinity === "number") {
    const stripe = Math.floor(affinity) % n;
    return stripe < 0 ? stripe + n : stripe;
  }
  let hash = 0x811c9dc5;
  for (let i = 0; i < affinity.length; i++) {
    hash = Math.imul(hash ^ affinity.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % n;
}
