/** What a transition intends, and what the shell does at once. */
export type Effect =
  | {
    /** `handBack`: it was to be delivered, and is lost. */
    readonly kind: "deliver" | "validate" | "handBack";
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
  /** The turn of one has come, who waited too long. */
  | { readonly kind: "shed"; readonly client: number }
  /** Asked whether one is to leave, and told since when others wait. */
  | {
    readonly kind: "judged";
    readonly since: number;
    readonly oldest: number;
    readonly now: number;
  }
  /** A line in a pause has nothing in use. */
  | { readonly kind: "paused" }
  /** Whether an idle one was let go for others. */
  | { readonly kind: "letGo"; readonly isDone: boolean }
  /** An idle resource is validated in the background. */
  | { readonly kind: "inspect"; readonly resource: number }
  /** When a sweep of a line is to come again: undefined if not through. */
  | { readonly kind: "sweep"; readonly again: number | undefined }
  | { readonly kind: "closed" };

/** An effect in words. */
export function effectInWords(effect: Effect): string {
  switch (effect.kind) {
    case "deliver":
      return `client ${effect.client} gets resource ${effect.resource}`;
    case "handBack":
      return `resource ${effect.resource} is lost on its way to ` +
        `client ${effect.client}`;
    case "validate":
      return `validate resource ${effect.resource} for client ${effect.client}`;
    case "inspect":
      return `validate resource ${effect.resource} in the background`;
    case "reject":
      return `client ${effect.client} fails: ${effect.error}`;
    case "create":
      return `create ${effect.creation} for stripe ${effect.stripe}`;
    case "destroy":
      return `destroy resource ${effect.resource} of stripe ${effect.stripe} ` +
        `(${effect.reason})`;
    case "sweep":
      return `sweep again at ${effect.again ?? "once"}`;
    case "shed":
      return `client ${effect.client} has waited too long`;
    case "judged":
      return `at ${effect.now} one who came at ${effect.since} is judged, ` +
        `others since ${effect.oldest}`;
    case "paused":
      return "a pause has begun";
    case "letGo":
      return effect.isDone ? "one is let go" : "nothing is let go";
    case "closed":
      return "a line is closed";
  }
}

export function inWords(effects: readonly Effect[]): string {
  return effects.map(effectInWords).join("; ") || "nothing to do";
}
