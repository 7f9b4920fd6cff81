import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import type { AnswerBody } from "../support/functions-backend.ts";
import type { Seen } from "../support/functions-load.ts";
import { madeToken } from "../support/functions-server.ts";
import { Serving } from "../support/functions-serving.ts";
import { seededRandom } from "../support/seeded-random.ts";

const STOPPING = /"message":"stopping"/;

describe("npm start, when it is stopped", function () {
  this.timeout(20_000);
  let serving: Serving;

  beforeEach(async () => {
    serving = await Serving.begin();
  });
  afterEach(() => serving.end());

  it("stores what it acknowledges and cuts no answer when SIGTERM comes under load", async () => {
    const server = await serving.start();
    const client = await serving.clientOf(server);
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
    const store = new SqliteEventStore({ path: join(serving.path, "evenant.db") });
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
      const server = await serving.start();
      const client = await serving.clientOf(server);
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
    const server = await serving.start();
    const { hostname, port } = new URL(server.url);
    const idle = connect(Number(port), hostname);
    await new Promise((resolve) => idle.once("connect", resolve));
    const idleEnd = new Promise((resolve) => idle.once("close", resolve));
    idle.resume();

    const body = JSON.stringify({ aggregateId: "calc1", number1: 1, number2: 2 });
    const token = await madeToken(serving.path, "acme");
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
    await serving.get(server, "/views/totals");
    const ended = server.child.kill("SIGTERM");
    await server.child.says(STOPPING);
    await idleEnd;
    outgoing.end(body.slice(10));
    const answer = await answered;
    expect(answer.connection).to.equal("close");
    expect(answer.body).to.deep.include({ version: 0, state: { sum: 3 } });
    expect((await ended).code).to.equal(0);
  });

  it("lets nobody wait for a view while it stops", async () => {
    const server = await serving.start();
    const waiting = serving.get(server, "/views/totals?position=1000000");
    await serving.get(server, "/views/totals");
    const ended = server.child.kill("SIGTERM");
    expect(await waiting).to.include({ code: "behind" });
    expect((await ended).code).to.equal(0);
  });

  it("quits at once at a second signal", async () => {
    const server = await serving.start();
    const { hostname, port } = new URL(server.url);
    const stuck = connect(Number(port), hostname);
    stuck.on("error", () => {});
    stuck.write("POST /commands/AddNumbers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n");
    await serving.get(server, "/views/totals");
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
    const child = serving.run("npm", ["start"], {}, true);
    await child.says(/\?position=1"\n/);
    process.kill(-(child.process.pid as number), "SIGINT");
    await child.says(/"message":"stopped"/);
    await child.ended;
  });

  it("stops with npm, when a supervisor sends SIGTERM to npm alone", async () => {
    const child = serving.run("npm", ["start"], {}, true);
    await child.says(/\?position=1"\n/);
    child.process.kill("SIGTERM");
    const { stderr } = await child.ended;
    expect(stderr).to.match(/"message":"stopped"/);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`takes a second ${signal} that follows at once for the echo of the first`, async () => {
      const server = await serving.start();
      const ended = server.child.kill(signal);
      await server.child.says(STOPPING);
      server.child.process.kill(signal);
      const { code, stderr } = await ended;
      expect(code).to.equal(0);
      expect(stderr).to.match(/"message":"stopped"/);
    });
  }

  it("still answers what was on its way to it over a connection that was kept alive", async () => {
    const server = await serving.start();
    const client = await serving.clientOf(server);
    const command = { name: "AddNumbers", data: { aggregateId: "calc1", number1: 1, number2: 0 } };
    await client.send({ key: "before", ...command });
    const ended = server.child.kill("SIGTERM");
    await server.child.says(STOPPING);
    expect(await client.send({ key: "after", ...command })).to.include({ kind: "answered", status: 200 });
    expect((await ended).code).to.equal(0);
    client.close();
  });
});
