import { execFile } from "node:child_process";
import { chmod, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { Actor } from "../../core/index.ts";
import { Totals } from "../../examples/calculator/index.ts";
import { compose, examples } from "../../functions/composition.ts";
import { HOME, madeToken } from "../support/functions-server.ts";
import { Serving } from "../support/functions-serving.ts";

const run = promisify(execFile);

describe("npm start", function () {
  this.timeout(20_000);
  let serving: Serving;

  beforeEach(async () => {
    serving = await Serving.begin();
  });
  afterEach(() => serving.end());

  it("prints two commands that work when they are pasted, and keeps everything over a restart", async () => {
    const first = await serving.start();
    const [send, read] = first.child.stdout.split("\n").filter((line) => /^(TOKEN|curl)/.test(line)) as [string, string];
    const { stdout } = await run("bash", ["-c", `${send}\n${read}`], { cwd: HOME });
    const [command, view] = stdout.trim().split("\n") as [string, string];
    expect(JSON.parse(command)).to.deep.include({ aggregateId: "calc1", version: 0, position: 1, state: { sum: 3 } });
    expect(JSON.parse(view)).to.deep.equal({ id: "calc1", value: { sum: 3, steps: 1 } });

    const { code, stderr } = await first.child.kill("SIGTERM");
    expect(code, stderr).to.equal(0);
    const second = await serving.start();
    expect((await serving.get(second, "/aggregates/summing-calculators/calc1")).state).to.deep.equal({ sum: 3 });
    expect((await serving.get(second, "/views/totals/calc1")).value).to.deep.equal({ sum: 3, steps: 1 });
    const { stdout: again } = await run("bash", ["-c", send.replaceAll(first.url, second.url)], { cwd: HOME });
    expect(JSON.parse(again)).to.deep.include({ version: 1, state: { sum: 6 } });
  });

  it("takes its limits and origins from the environment", async () => {
    const server = await serving.start({ TENANT_RATE: "0.01", TENANT_BURST: "4", CORS_ORIGINS: "https://app.example" });
    const headers = { authorization: `Bearer ${await madeToken(serving.path, "acme")}`, origin: "https://app.example" };
    const first = await fetch(`${server.url}/views/totals`, { headers });
    expect([first.status, first.headers.get("access-control-allow-origin")]).to.deep.equal([200, "https://app.example"]);
    const second = await fetch(`${server.url}/views/totals`, { headers });
    expect(second.status).to.equal(429);
    expect(Number(second.headers.get("retry-after"))).to.be.within(300, 400);
    expect(await second.json()).to.include({ code: "rate_limited", limit: "actor" });
  });

  it("keeps what it stores from other users, also in a directory that they can read", async () => {
    await chmod(serving.path, 0o755);
    const server = await serving.start();
    await (await serving.clientOf(server)).send({ key: "k", name: "AddNumbers", data: { number1: 1, number2: 2 } });
    for (const file of await readdir(serving.path)) {
      expect((await stat(join(serving.path, file))).mode & 0o077, file).to.equal(0);
    }
  });

  it("stops, with code 1 and the reason in the log, when a reader cannot go on", async () => {
    const store = new SqliteEventStore({ path: join(serving.path, "evenant.db") });
    const { handler, reader } = compose(store, examples);
    const actor = new Actor({ id: "ada", tenant: "acme", roles: ["user"] });
    await handler.command(actor, "AddNumbers", { aggregateId: "calc1", number1: 1, number2: 2 });
    await reader.poll("acme", "an-older-thread", [new Totals()]);
    await store.close();
    const child = serving.run(process.execPath, ["functions/serve.ts"]);
    const { code, stderr } = await child.ended;
    expect(code, stderr).to.equal(1);
    expect(stderr).to.match(/the readers cannot go on.*totals.*an-older-thread/);
    expect(stderr).to.match(/"message":"stopped"/);
  });

  it("serves several processes on one DATA_DIR", async () => {
    const [one, two] = await Promise.all([serving.start(), serving.start()]);
    const clients = await Promise.all([serving.clientOf(one), serving.clientOf(two)]);
    await Promise.all(
      clients.map((client, number) =>
        client.sendAll(
          Array.from({ length: 100 }, (_, index) => ({
            key: `${number}-${index}`,
            name: "AddNumbers",
            data: { aggregateId: `calc${index % 3}`, number1: 1, number2: 0 },
          })),
          8,
          (seen) => expect(seen.kind === "answered" && seen.status, JSON.stringify(seen)).to.equal(200),
        ),
      ),
    );
    const { views } = await serving.get(two, "/views/totals?position=200");
    expect(views.reduce((sum, { value }) => sum + (value.sum as number), 0)).to.equal(200);
    for (const client of clients) client.close();
  });
});
