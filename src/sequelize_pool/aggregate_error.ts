/** What the resources failed with that `destroyAllNow` destroyed. */
export class AggregateError extends globalThis.AggregateError {}
