/** All random draws of the pools; a simulation puts its own source here. */
export const draws: { random: () => number } = { random: Math.random };

/** 75 to 100 % of a duration, so that what began together does not end so. */
export function jitter(duration: number): number {
  return duration * (0.75 + draws.random() / 4);
}
