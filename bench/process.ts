/** A process that measures one thing: started by runner.ts, never by hand. */
import process from "node:process";
import type { Module, Order, Question } from "./question.ts";

/** Imports a file beside this one that the bundler need not look for. */
async function load<T>(path: string): Promise<T> {
  return await import(new URL(path, import.meta.url).href);
}

const order: Order = JSON.parse(process.argv[2]!);
const { question } = await load<{ question: Question }>(
  `./${order.question}_bench.js`,
);
const module = await load<Module>(`./subjects/${order.subject}.js`);
const figures = await question.measure(order, module);
console.log(JSON.stringify(figures));
// Pools that keep a process alive would keep the next one waiting.
process.exit(0);
