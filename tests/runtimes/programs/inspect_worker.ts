// A worker of the page: itself, and as a part of an app of Hono's.
import { Hono } from "hono";
import { inspected } from "./inspect_cases.ts";

const handler = inspected();

const app = new Hono();
app.mount("/mounted", handler);
app.all("/routed/*", ({ req }) => handler(req.raw));

export default {
  fetch(request: Request): Response | Promise<Response> {
    const { pathname } = new URL(request.url);
    return pathname.startsWith("/own/") ? handler(request) : app.fetch(request);
  },
};
