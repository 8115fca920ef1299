/** The longest that a timer of a runtime can wait, in milliseconds. */
export const MAX_TIMEOUT = 2 ** 31 - 1;
