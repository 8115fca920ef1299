import type { FactoryOptions } from "./pool_options.ts";

/** A resource, which is destroyed once, whoever asks first. */
export class Resource<T> {
  readonly value: T;
  /** Ends as the call of `destroy`. */
  readonly ended: Promise<unknown>;
  readonly #factory: Pick<FactoryOptions<T>, "destroy">;
  #begin: ((end: Promise<unknown>) => void) | undefined;

  constructor(value: T, factory: Pick<FactoryOptions<T>, "destroy">) {
    this.value = value;
    this.#factory = factory;
    this.ended = new Promise((resolve) => this.#begin = resolve);
  }

  end(): Promise<unknown> {
    const begin = this.#begin;
    this.#begin = undefined;
    const call = async () => await this.#factory.destroy(this.value);
    begin?.(call());
    return this.ended;
  }
}
