/** How much is shown of a name or an error, and of a stack. */
const LIMIT = 300;
export const STACK_LIMIT = 4_000;

/** As much of a text as is shown. */
export function cut(text: string, limit = LIMIT): string {
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}
