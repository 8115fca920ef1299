/** Debian's browser; the flags let it run as root, and keep it off the network. */
export const LAUNCH = {
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
};

/** Says what a visitor of before has left in a page, and leaves the same. */
export const VISIT = `(() => {
  const traces = document.cookie + (localStorage.getItem("cart") ?? "");
  document.cookie = "customer=1";
  localStorage.setItem("cart", "full");
  return traces;
})()`;

/** A site to visit, on this machine only. */
export function openShop(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () =>
      new Response("<!doctype html><title>shop</title>", {
        headers: { "content-type": "text/html" },
      }),
  );
}
