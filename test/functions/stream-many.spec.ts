import { connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Item, ShoppingList } from "../../examples/pwa-backend/shopping.ts";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import { StreamClient } from "../support/functions-sse.ts";
import { intercepted } from "../support/intercepted-store.ts";

const composition = { aggregates: [Item], threads: { lists: [new ShoppingList()] } };
const TENANTS = 5;
const STREAMS = 500;
const COMMANDS = 40;
const MiB = 1024 * 1024;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What the process holds, in bytes, after a collection of garbage: objects, and buffers outside of the heap. */
function held(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("many event streams", function () {
  this.timeout(40_000);
  let backend: Backend;
  const tokens: string[] = [];

  before(async () => {
    for (let tenant = 0; tenant < TENANTS; tenant++) tokens.push(await tokenOf({ tenant: `team${tenant}`, roles: ["member"] }));
  });
  afterEach(async () => {
    await backend.close();
  });

  async function send(tenant: number, name: string, aggregateId: string, payload = {}): Promise<number> {
    const { status, body } = await backend.command(name, { aggregateId, ...payload }, {}, tokens[tenant]);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body.position;
  }

  it(`of ${STREAMS} clients are fed by one follower a tenant, and lose nothing when they come back`, async () => {
    const inner = new MemoryEventStore();
    let asked = 0;
    const count =
      <A extends unknown[], R>(call: (...given: A) => R) =>
      (...given: A): R => {
        asked++;
        return call(...given);
      };
    const store = intercepted(inner, { peek: count(inner.peek.bind(inner)), read: count(inner.read.bind(inner)) });
    for (let tenant = 0; tenant < TENANTS; tenant++) await store.open(`team${tenant}`);
    backend = await startBackend({ composition, store });
    for (let tenant = 0; tenant < TENANTS; tenant++) await send(tenant, "AddItem", "milk", { text: `Milk of ${tenant}` });

    const before = held();
    const open = (index: number, from?: StreamClient) =>
      new StreamClient(`${backend.url}/views/shopping/stream`, tokens[index % TENANTS]!, from?.lastId, from?.views);
    let clients = Array.from({ length: STREAMS }, (_, index) => open(index));
    await Promise.all(clients.map((client) => client.until(({ views }) => views.size === 1)));
    const each = (held() - before) / STREAMS;

    asked = 0;
    for (let round = 0; round < COMMANDS; round++) {
      await Promise.all(tokens.map((_, tenant) => send(tenant, round % 2 === 0 ? "WantOneMore" : "BuyItem", "milk")));
      if (round !== COMMANDS / 2) continue;
      // Every third one leaves in the middle, and comes back when the others are through.
      await Promise.all(clients.filter((_, index) => index % 3 === 0).map((client) => client.close()));
    }
    const expected = { wanted: 1 + COMMANDS / 2, bought: COMMANDS / 2 };
    const isDone = ({ views }: StreamClient) => {
      const milk = views.get("milk") as typeof expected | undefined;
      return milk?.wanted === expected.wanted && milk.bought === expected.bought;
    };
    await Promise.all(clients.filter((_, index) => index % 3 !== 0).map((client) => client.until(isDone)));
    const askedWhileLive = asked;
    clients = clients.map((client, index) => (index % 3 === 0 ? open(index, client) : client));
    await Promise.all(clients.map((client) => client.until(isDone)));
    for (const [index, client] of clients.entries()) {
      expect([...client.views.keys()]).to.deep.equal(["milk"]);
      expect(client.views.get("milk")).to.deep.include({ text: `Milk of ${index % TENANTS}`, ...expected });
      expect(client.named("reset").length, "one that came back is told changes only").to.equal(index % 3 === 0 ? 0 : 1);
    }
    // Readers and followers of five tenants ask, a few times for each command; 500 streams do not.
    expect(askedWhileLive).to.be.below(12 * COMMANDS * TENANTS);
    expect(each, "bytes that one stream holds, its client included").to.be.below(200 * 1024);
    await Promise.all(clients.map((client) => client.close()));
  });

  it("cut off clients that stop reading, hold no more than their buffers, and leave the others alone", async () => {
    const stuckOnes = 20;
    const store = new MemoryEventStore();
    await store.open("team0");
    backend = await startBackend({ composition, store, streams: { patience: 300, perTenant: stuckOnes + 1 } });
    await send(0, "AddItem", "milk", { text: "Milk" });
    const reading = new StreamClient(`${backend.url}/views/shopping/stream`, tokens[0]!);
    await reading.until(({ views }) => views.size === 1);
    const { hostname, port } = new URL(backend.url);
    const stuck = await Promise.all(Array.from({ length: stuckOnes }, () => stuckClient(hostname, Number(port), tokens[0]!)));

    const before = held();
    const { rss } = process.memoryUsage();
    const text = "x".repeat(200_000);
    const rounds = 120;
    for (let round = 0; round < rounds; round++) {
      const position = await send(0, "AddItem", `item${round}`, { text: `${round} ${text}` });
      await reading.until(({ lastId }) => Number.parseInt(lastId, 10) >= position);
    }
    const sent = rounds * text.length;
    // What the store and the client keep of it: the events, the views, and the client's own copies.
    const growth = held() - before;
    const rssGrowth = (process.memoryUsage().rss - rss) / MiB;
    console.log(
      `      ${(sent / MiB).toFixed(0)} MiB sent to each, held ${(growth / MiB).toFixed(0)} MiB, RSS grew by ${rssGrowth.toFixed(0)} MiB`,
    );
    expect(growth, "less than a copy for each of the 20 that do not read").to.be.below(6 * sent);

    for (let isAdmitted = false; !isAdmitted; ) {
      const next = new StreamClient(`${backend.url}/views/shopping/stream`, tokens[0]!);
      isAdmitted = await next
        .until(({ status }) => status === 200)
        .then(
          () => true,
          () => false,
        );
      await next.close();
    }
    for (const { socket } of stuck) socket.resume();
    const got = await Promise.all(stuck.map(({ closed }) => closed));
    for (const bytes of got) expect(bytes, "what a stuck client got before it was cut off").to.be.below(sent);
    expect(reading.views.size).to.equal(rounds + 1);
    await reading.close();
  });
});

/** A client that opens a stream and never reads it; `closed` tells, once it is resumed, how many bytes had come. */
async function stuckClient(hostname: string, port: number, token: string): Promise<{ socket: Socket; closed: Promise<number> }> {
  const socket = connect(port, hostname);
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(`GET /views/shopping/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  await new Promise((resolve) => socket.once("readable", resolve));
  socket.pause();
  const closed = new Promise<number>((resolve) => {
    socket.on("error", () => {});
    socket.on("close", () => resolve(socket.bytesRead));
  });
  return { socket, closed };
}
