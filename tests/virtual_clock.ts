export { VirtualClock } from "../src/testing/mod.ts";
