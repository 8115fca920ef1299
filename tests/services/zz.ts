import { MariaDbServer } from "../../examples/mariadb_server.ts";
await using server = await MariaDbServer.create();
const files = Deno.args.slice(1);
for (const mode of Deno.args[0]!.split(",")) {
  await new Deno.Command("node", {
    args: ["/tmp/h/mysql11_peers/patch.js", mode],
  }).output();
  for (const file of files) {
    const r = await new Deno.Command("timeout", {
      args: ["25", "npx", "-y", "node@26", file],
      cwd: "/tmp/h/mysql11_peers/m2",
      env: {
        MYSQL_HOST: "127.0.0.1",
        MYSQL_PORT: `${server.port}`,
        MYSQL_USER: "root",
        MYSQL_DATABASE: "test",
      },
    }).output();
    const text = new TextDecoder().decode(r.stdout) +
      new TextDecoder().decode(r.stderr);
    console.log(mode, file, r.code, r.code ? text.slice(-1500) : "");
  }
}
