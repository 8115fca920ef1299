/** What a transition intends, and what the shell does at once. */
export type Effect =
  | {
    readonly kind: "deliver" | "validate";
    readonly client: number;
    readonly resource: number;
  }
  | { readonly kind: "reject"; readonly client: number; readonly error: string }
  | {
    readonly kind: "create";
    readonly creation: number;
    readonly stripe: number;
  }
  | {
    readonly kind: "destroy";
    readonly resource: number;
    readonly stripe: number;
    readonly reason: string;
  }
  /** A sweep of a line is to come again at a tick: undefined if not through. */
  | { readonly kind: "sweep"; readonly again: number | undefined }
  | { readonly kind: "closed" };

/** An effect in words. */
export function effectInWords(effect: Effect): string {
  switch (effect.kind) {
    case "deliver":
      return `client ${effect.client} gets resource ${effect.resource}`;
    case "validate":
      return `validate resource ${effect.resource} for client ${effect.client}`;
    case "reject":
      return `client ${effect.client} fails: ${effect.error}`;
    case "create":
      return `create ${effect.creation} for stripe ${effect.stripe}`;
    case "destroy":
      return `destroy resource ${effect.resource} of stripe ${effect.stripe} ` +
        `(${effect.reason})`;
    case "sweep":
      return `sweep again at tick ${effect.again ?? "now"}`;
    case "closed":
      return "a line is closed";
  }
}

export function inWords(effects: readonly Effect[]): string {
  return effects.map(effectInWords).join("; ") || "nothing to do";
}
