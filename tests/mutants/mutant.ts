/** One way in which the code could be wrong. */
export interface Mutant {
  readonly name: string;
  /** What is wrong with it, in words. */
  readonly about: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

/** The text of a mutant's file, with the mutant planted. */
export function plant({ name, file, from, to }: Mutant, text: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) {
    const times = parts.length - 1;
    throw new Error(`${name}: its 'from' is ${times} times in ${file}`);
  }
  return parts.join(to);
}
