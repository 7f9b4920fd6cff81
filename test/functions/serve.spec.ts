import { execFile } from "node:child_process";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { expect } from "chai";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { Actor } from "../../core/index.ts";
import { Totals } from "../../examples/calculator/index.ts";
import { bearerAuthenticator, secretVerifier } from "../../functions/auth.ts";
import { compose, examples } from "../../functions/composition.ts";
import { developmentSecret } from "../../functions/secret.ts";
import type { AnswerBody } from "../support/functions-backend.ts";
import { LoadClient, type Seen } from "../support/functions-load.ts";
import { Child, HOME, madeToken, type RunningServer, startServer, temporaryDirectory } from "../support/functions-server.ts";
import { seededRandom } from "../support/seeded-random.ts";

const run = promisify(execFile);
const STOPPING = /"message":"stopping"/;

describe("npm start", function () {
  this.timeout(20_000);
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  const children: Child[] = [];

  const start = async (environment: Readonly<Record<string, string>> = {}): Promise<RunningServer> => {
    const server = await startServer(directory.path, environment);
    children.push(server.child);
    return server;
  };
  const get = async (server: RunningServer, path: string): Promise<AnswerBody> => {
    const authorization = `Bearer ${await madeToken(directory.path, "acme")}`;
    return (await (await fetch(`${server.url}${path}`, { headers: { authorization } })).json()) as AnswerBody;
  };
  const clientOf = async (server: RunningServer) => new LoadClient(server.url, await madeToken(directory.path, "acme"), 32);

  beforeEach(async () => {
    directory = await temporaryDirectory();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill("SIGKILL");
    await directory.remove();
  });

  it("prints two commands that work when they are pasted, and keeps everything over a restart", async () => {
    const first = await start();
    const [send, read] = first.child.stdout.split("\n").filter((line) => /^(TOKEN|curl)/.test(line)) as [string, string];
    const { stdout } = await run("bash", ["-c", `${send}\n${read}`], { cwd: HOME });
    const [command, view] = stdout.trim().split("\n") as [string, string];
    expect(JSON.parse(command)).to.deep.include({ aggregateId: "calc1", version: 0, position: 1, state: { sum: 3 } });
    expect(JSON.parse(view)).to.deep.equal({ id: "calc1", value: { sum: 3, steps: 1 } });

    const { code, stderr } = await first.child.kill("SIGTERM");
    expect(code, stderr).to.equal(0);
    const second = await start();
    expect((await get(second, "/aggregates/summing-calculators/calc1")).state).to.deep.equal({ sum: 3 });
    expect((await get(second, "/views/totals/calc1")).value).to.deep.equal({ sum: 3, steps: 1 });
    const { stdout: again } = await run("bash", ["-c", send.replaceAll(first.url, second.url)], { cwd: HOME });
    expect(JSON.parse(again)).to.deep.include({ version: 1, state: { sum: 6 } });
  });

  it("stores what it acknowledges and cuts no answer when SIGTERM comes under load", async () => {
    const server = await start();
    const client = await clientOf(server);
    const commands = Array.from({ length: 5_000 }, (_, index) => ({
      key: `k${index}`,
      name: "AddNumbers",
      data: { aggregateId: `calc${index % 10}`, number1: index, number2: 0 },
    }));
    const seen: { key: string; seen: Seen }[] = [];
    await client.sendAll(commands, 32, (one, { key }) => {
      seen.push({ key, seen: one });
      if (seen.length === 300) server.child.process.kill("SIGTERM");
    });
    const { code, signal, stderr } = await server.child.ended;
    client.close();
    expect({ code, signal }, stderr).to.deep.equal({ code: 0, signal: null });
    expect(stderr)
      .to.match(/"message":"stopped"/)
      .and.not.to.match(/"severity":"ERROR"/);
    expect(seen.length).to.be.within(300, 4_999);
    const store = new SqliteEventStore({ path: join(directory.path, "evenant.db") });
    for (const { key, seen: one } of seen) {
      expect(one.kind).to.be.oneOf(["answered", "unanswered"]);
      if (one.kind !== "answered") continue;
      expect(one.status, JSON.stringify(one.body)).to.equal(200);
      const receipt = await store.receipt("acme", key);
      expect(receipt, key).to.include({ id: one.body.aggregateId, version: one.body.version });
    }
    await store.close();
  });

  it("answers every command that was in flight when SIGTERM came", async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const server = await start();
      const client = await clientOf(server);
      const commands = Array.from({ length: 1_000 }, (_, index) => ({
        key: `${seed}-${index}`,
        name: "AddNumbers",
        data: { aggregateId: `calc${index % 10}`, number1: index, number2: 0 },
      }));
      const inFlight: Seen[] = [];
      let isTold = false;
      const after = 100 + seededRandom(seed).below(400);
      let count = 0;
      await client.sendAll(commands, 32, (seen) => {
        if (isTold) inFlight.push(seen);
        else if (++count === after) isTold = server.child.process.kill("SIGTERM");
        return isTold && "enough";
      });
      client.close();
      expect((await server.child.ended).code, `seed ${seed}`).to.equal(0);
      expect(inFlight.length, `seed ${seed}`).to.equal(31);
      for (const seen of inFlight) expect(seen, `seed ${seed}`).to.include({ kind: "answered", status: 200 });
    }
  });

  it("finishes a request that was under way, tells its client to go elsewhere, and drops idle connections", async () => {
    const server = await start();
    const { hostname, port } = new URL(server.url);
    const idle = connect(Number(port), hostname);
    await new Promise((resolve) => idle.once("connect", resolve));
    const idleEnd = new Promise((resolve) => idle.once("close", resolve));
    idle.resume();

    const body = JSON.stringify({ aggregateId: "calc1", number1: 1, number2: 2 });
    const token = await madeToken(directory.path, "acme");
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "content-length": body.length,
      connection: "keep-alive",
    };
    const outgoing = request(`${server.url}/commands/AddNumbers`, { method: "POST", headers });
    const answered = new Promise<{ connection: string | undefined; body: AnswerBody }>((resolve, reject) => {
      outgoing.on("error", reject);
      outgoing.on("response", async (incoming) => {
        let text = "";
        for await (const chunk of incoming) text += chunk;
        resolve({ connection: incoming.headers.connection, body: JSON.parse(text) });
      });
    });
    outgoing.write(body.slice(0, 10));
    // The server has surely begun with it once it answered a later one.
    await get(server, "/views/totals");
    const ended = server.child.kill("SIGTERM");
    await server.child.says(STOPPING);
    await idleEnd;
    outgoing.end(body.slice(10));
    const answer = await answered;
    expect(answer.connection).to.equal("close");
    expect(answer.body).to.deep.include({ version: 0, state: { sum: 3 } });
    expect((await ended).code).to.equal(0);
  });

  it("takes its limits and origins from the environment", async () => {
    const server = await start({ TENANT_RATE: "0.01", TENANT_BURST: "4", CORS_ORIGINS: "https://app.example" });
    const headers = { authorization: `Bearer ${await madeToken(directory.path, "acme")}`, origin: "https://app.example" };
    const first = await fetch(`${server.url}/views/totals`, { headers });
    expect([first.status, first.headers.get("access-control-allow-origin")]).to.deep.equal([200, "https://app.example"]);
    const second = await fetch(`${server.url}/views/totals`, { headers });
    expect(second.status).to.equal(429);
    expect(Number(second.headers.get("retry-after"))).to.be.within(300, 400);
    expect(await second.json()).to.include({ code: "rate_limited", limit: "actor" });
  });

  it("lets nobody wait for a view while it stops", async () => {
    const server = await start();
    const waiting = get(server, "/views/totals?position=1000000");
    await get(server, "/views/totals");
    const ended = server.child.kill("SIGTERM");
    expect(await waiting).to.include({ code: "behind" });
    expect((await ended).code).to.equal(0);
  });

  it("quits at once at a second signal", async () => {
    const server = await start();
    const { hostname, port } = new URL(server.url);
    const stuck = connect(Number(port), hostname);
    stuck.on("error", () => {});
    stuck.write("POST /commands/AddNumbers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n");
    await get(server, "/views/totals");
    const ended = server.child.kill("SIGTERM");
    await server.child.says(STOPPING);
    // A signal that follows sooner is an echo of the first.
    await setTimeout(400);
    server.child.process.kill("SIGTERM");
    const { code, stderr } = await ended;
    expect(code).to.equal(143);
    expect(stderr).not.to.match(/"message":"stopped"/);
    stuck.destroy();
  });

  it("takes Ctrl-C under npm as one signal, although the process hears of it twice", async () => {
    const child = new Child("npm", ["start"], { DATA_DIR: directory.path }, true);
    children.push(child);
    await child.says(/\?position=1"\n/);
    process.kill(-(child.process.pid as number), "SIGINT");
    await child.says(/"message":"stopped"/);
    await child.ended;
  });

  it("stops with npm, when a supervisor sends SIGTERM to npm alone", async () => {
    const child = new Child("npm", ["start"], { DATA_DIR: directory.path }, true);
    children.push(child);
    await child.says(/\?position=1"\n/);
    child.process.kill("SIGTERM");
    const { stderr } = await child.ended;
    expect(stderr).to.match(/"message":"stopped"/);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`takes a second ${signal} that follows at once for the echo of the first`, async () => {
      const server = await start();
      const ended = server.child.kill(signal);
      await server.child.says(STOPPING);
      server.child.process.kill(signal);
      const { code, stderr } = await ended;
      expect(code).to.equal(0);
      expect(stderr).to.match(/"message":"stopped"/);
    });
  }

  it("still answers what was on its way to it over a connection that was kept alive", async () => {
    const server = await start();
    const client = await clientOf(server);
    const command = { name: "AddNumbers", data: { aggregateId: "calc1", number1: 1, number2: 0 } };
    await client.send({ key: "before", ...command });
    const ended = server.child.kill("SIGTERM");
    await server.child.says(STOPPING);
    expect(await client.send({ key: "after", ...command })).to.include({ kind: "answered", status: 200 });
    expect((await ended).code).to.equal(0);
    client.close();
  });

  it("keeps what it stores from other users, also in a directory that they can read", async () => {
    await chmod(directory.path, 0o755);
    const server = await start();
    await (await clientOf(server)).send({ key: "k", name: "AddNumbers", data: { number1: 1, number2: 2 } });
    for (const file of await readdir(directory.path)) {
      expect((await stat(join(directory.path, file))).mode & 0o077, file).to.equal(0);
    }
  });

  it("stops, with code 1 and the reason in the log, when a reader cannot go on", async () => {
    const store = new SqliteEventStore({ path: join(directory.path, "evenant.db") });
    const { handler, reader } = compose(store, examples);
    const actor = new Actor({ id: "ada", tenant: "acme", roles: ["user"] });
    await handler.command(actor, "AddNumbers", { aggregateId: "calc1", number1: 1, number2: 2 });
    await reader.poll("acme", "an-older-thread", [new Totals()]);
    await store.close();
    const child = new Child(process.execPath, ["functions/serve.ts"], { DATA_DIR: directory.path });
    children.push(child);
    const { code, stderr } = await child.ended;
    expect(code, stderr).to.equal(1);
    expect(stderr).to.match(/the readers cannot go on.*totals.*an-older-thread/);
    expect(stderr).to.match(/"message":"stopped"/);
  });

  it("serves several processes on one DATA_DIR", async () => {
    const [one, two] = await Promise.all([start(), start()]);
    const clients = await Promise.all([clientOf(one), clientOf(two)]);
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
    const { views } = await get(two, "/views/totals?position=200");
    expect(views.reduce((sum, { value }) => sum + (value.sum as number), 0)).to.equal(200);
    for (const client of clients) client.close();
  });

  describe("says in one sentence what keeps it from starting, and ends with code 1", () => {
    const refuses = async (environment: Readonly<Record<string, string>>, sentence: RegExp): Promise<void> => {
      const child = new Child(process.execPath, ["functions/serve.ts"], { DATA_DIR: directory.path, ...environment });
      children.push(child);
      const { code, stdout, stderr } = await child.ended;
      expect(code).to.equal(1);
      expect(stdout).to.equal("");
      expect(stderr).to.match(sentence);
      expect(stderr.trim().split("\n").length, stderr).to.equal(1);
    };

    for (const port of ["abc", "-1", "70000", "80.5", "0x50", " "]) {
      it(`the PORT ${JSON.stringify(port)}`, () => refuses({ PORT: port }, /^PORT is .*65535/));
    }

    it("a limit that is none, or an origin", async () => {
      await refuses({ TENANT_RATE: "many" }, /^TENANT_RATE is "many"/);
      await refuses({ CORS_ORIGINS: "*" }, /^CORS_ORIGINS: .* is no origin/);
    });

    it("a port that is taken", async () => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      const { port } = other.address() as AddressInfo;
      await refuses({ PORT: String(port) }, /^Port \d+ of 127\.0\.0\.1 is taken/);
      await new Promise((resolve) => other.close(resolve));
    });

    it("a DATA_DIR that cannot be written", async () => {
      const file = join(directory.path, "file");
      await writeFile(file, "");
      await refuses({ DATA_DIR: file }, /^DATA_DIR .*file cannot be used/);
      await refuses({ DATA_DIR: join(file, "data") }, /^DATA_DIR .*data cannot be used/);
      await refuses({ DATA_DIR: "/proc/evenant" }, /^DATA_DIR .* cannot be used/);
    });

    it("a secret that others can read", async () => {
      await developmentSecret(directory.path);
      await chmod(join(directory.path, "token-secret"), 0o644);
      await refuses({}, /can be read by others: run chmod 600/);
    });

    it("a secret that is none", async () => {
      await writeFile(join(directory.path, "token-secret"), "short", { mode: 0o600 });
      await refuses({}, /does not hold a secret/);
    });

    it("a database that is none", async () => {
      await writeFile(join(directory.path, "evenant.db"), "this is no database, however long it may be".repeat(100));
      await refuses({}, /evenant\.db cannot be opened/);
    });
  });
});

describe("npm run token", function () {
  this.timeout(20_000);
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  const token = (...args: string[]) =>
    new Child(process.execPath, ["functions/token.ts", ...args], { DATA_DIR: directory.path }).ended;
  const actorOf = async (text: string) =>
    bearerAuthenticator(await secretVerifier(await developmentSecret(directory.path)))(`Bearer ${text.trim()}`);

  beforeEach(async () => {
    directory = await temporaryDirectory();
  });
  afterEach(() => directory.remove());

  it("prints the token alone, whose claims make the actor", async () => {
    const { code, stdout, stderr } = await token(
      "--tenant",
      "acme",
      "--id",
      "ada",
      "--roles",
      "manager,user",
      "--name",
      "Ada L.",
    );
    expect([code, stderr]).to.deep.equal([0, ""]);
    expect(stdout).to.match(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect({ ...(await actorOf(stdout)) }).to.deep.equal({
      id: "ada",
      name: "Ada L.",
      tenant: "acme",
      roles: ["manager", "user"],
    });
  });

  it("works as it is documented, through npm", async () => {
    const { stdout } = await run("npm", ["run", "-s", "token", "--", "--tenant", "acme", "--id", "ada", "--roles", "user"], {
      cwd: HOME,
      env: { ...process.env, DATA_DIR: directory.path },
    });
    expect((await actorOf(stdout)).roles).to.deep.equal(["user"]);
  });

  it("keeps the secret in a file that only its owner can read, and leaves no draft", async () => {
    await token("--tenant", "acme", "--id", "ada");
    expect(await readdir(directory.path)).to.deep.equal(["token-secret"]);
    const path = join(directory.path, "token-secret");
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await readFile(path, "utf8")).to.match(/^[\w-]{43}$/);
  });

  it("makes one secret, however many begin at once", async () => {
    const data = join(directory.path, "data");
    const secrets = await Promise.all(Array.from({ length: 50 }, () => developmentSecret(data)));
    expect(new Set(secrets.map(String)).size).to.equal(1);
    const tokens = await Promise.all(Array.from({ length: 4 }, () => token("--tenant", "acme", "--id", "ada")));
    for (const { stdout } of tokens) expect((await actorOf(stdout)).id).to.equal("ada");
    expect(await readdir(data)).to.deep.equal(["token-secret"]);
  });

  for (const [args, sentence] of [
    [[], /actor\.id|tenant/],
    [["--tenant", "acme"], /actor\.id/],
    [["--id", "ada"], /actor\.tenant/],
    [["--tenant", "../x", "--id", "ada"], /actor\.tenant/],
    [["--tenant", "acme", "--id", "ada", "--role", "user"], /--role/],
    [["--tenant", "acme", "--id", "ada", "--expires", "never"], /--expires/],
    [["--tenant", "acme", "--id", "ada", "extra"], /extra/],
  ] as const) {
    it(`refuses ${JSON.stringify(args)}, and prints nothing on standard output`, async () => {
      const { code, stdout, stderr } = await token(...args);
      expect([code, stdout]).to.deep.equal([1, ""]);
      expect(stderr).to.match(sentence);
    });
  }

  it("makes a token that expires", async () => {
    const { stdout } = await token("--tenant", "acme", "--id", "ada", "--expires", "30m");
    const claims = JSON.parse(Buffer.from(stdout.split(".")[1] as string, "base64url").toString());
    expect(claims.exp - claims.iat).to.equal(30 * 60);
  });
});
