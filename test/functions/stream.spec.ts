import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import {
  type Actor,
  Aggregate,
  type CommandContext,
  type IEventStore,
  type PositionedCommit,
  StoreError,
  StreamReader,
} from "../../core/index.ts";
import { Item, ShoppingList } from "../../examples/pwa-backend/shopping.ts";
import type { StreamSetting } from "../../functions/event-stream-setting.ts";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import { StreamClient } from "../support/functions-sse.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { seededRandom } from "../support/seeded-random.ts";

const composition = { aggregates: [Item], threads: { lists: [new ShoppingList()] } };
const roles = ["member"];

describe("event streams", () => {
  let backend: Backend;
  let token: string;
  const clients: StreamClient[] = [];

  async function start(streams: Partial<StreamSetting> = {}, store: IEventStore = new MemoryEventStore()): Promise<void> {
    // Readers look for new tenants once a second: this one is there when they begin.
    await store.open("acme");
    backend = await startBackend({ composition, streams, store });
  }
  function open(path: string, { lastId = "", bearer = token, views = new Map<string, unknown>() } = {}): StreamClient {
    const client = new StreamClient(`${backend.url}${path}`, bearer, lastId, views);
    clients.push(client);
    return client;
  }
  async function send(name: string, aggregateId: string, payload = {}, bearer = token) {
    const { status, body } = await backend.command(name, { aggregateId, ...payload }, {}, bearer);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }
  /** The collection as it is once its keeper has read everything. */
  async function collection(bearer = token): Promise<ReadonlyMap<string, unknown>> {
    const { commits } = await backend.store.read("acme", 0, 1_000);
    const { body } = await backend.send(`/views/shopping?limit=1000&position=${commits.at(-1)?.position ?? 0}`, {
      token: bearer,
    });
    return new Map(body.views.map(({ id, value }) => [id, value]));
  }
  const isCaughtUpTo = (position: number) => (client: StreamClient) =>
    client.events.some(({ event, data }) => event === "caught-up" && Number(data.position) >= position);

  before(async () => {
    token = await tokenOf({ roles });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await backend.close();
  });

  describe("of a collection", () => {
    it("send what is there, then every change, with ids to resume from", async () => {
      await start();
      await send("AddItem", "milk", { text: "Milk" });
      await collection();
      const client = await open("/views/shopping/stream").until(({ views }) => views.size === 1);
      expect(client.headers.get("content-type")).to.equal("text/event-stream");
      expect(client.headers.get("cache-control")).to.equal("no-store");
      await client.until(isCaughtUpTo(1));
      expect(client.events.map(({ event }) => event)).to.deep.equal(["reset", "view", "caught-up"]);
      expect(client.events.map(({ id }) => id.split(".")[0])).to.deep.equal(["", "", "1"]);

      await send("AddItem", "bread", { text: "Bread" });
      await client.until(isCaughtUpTo(2));
      await send("RemoveItem", "milk");
      await client.until(isCaughtUpTo(3));
      expect(client.named("view").at(-1)?.data).to.deep.equal({ id: "milk", deleted: true });
      expect(client.views).to.deep.equal(await collection());
      expect(client.retry).to.be.within(1_000, 2_000);
    });

    it("of one view send that view only", async () => {
      await start();
      await send("AddItem", "milk", { text: "Milk" });
      await send("AddItem", "bread", { text: "Bread" });
      await collection();
      const client = await open("/views/shopping/stream?id=milk").until(isCaughtUpTo(2));
      await send("WantOneMore", "bread");
      const { position } = await send("WantOneMore", "milk");
      await client.until(isCaughtUpTo(position));
      expect(client.named("view").map(({ data }) => data)).to.deep.equal([
        { id: "milk", value: { text: "Milk", wanted: 1, bought: 0, addedBy: "ada" } },
        { id: "milk", value: { text: "Milk", wanted: 2, bought: 0, addedBy: "ada" } },
      ]);
    });

    for (let seed = 1; seed <= 5; seed++) {
      it(`lead every client to exactly the collection, however often it leaves and comes back (seed ${seed})`, async () => {
        const random = seededRandom(seed);
        const store = new MemoryEventStore();
        await start({ buffer: 1 + random.below(2_000) }, store);
        const held = Array.from({ length: 6 }, () => open("/views/shopping/stream"));
        for (let step = 0; step < 150; step++) {
          const id = `item${random.below(40)}`;
          const name = random.chance(0.1) ? "RemoveItem" : random.chance(0.4) ? "AddItem" : "WantOneMore";
          // Refused where the item is not on the list, or was already: that is part of it.
          await backend.command(name, { aggregateId: id, ...(name === "AddItem" && { text: id }) }, {}, token);
          if (random.chance(0.2)) {
            const at = random.below(held.length);
            const left = held[at] as StreamClient;
            await left.close();
            held[at] = open("/views/shopping/stream", { lastId: left.lastId, views: left.views });
          }
        }
        const { commits } = await store.read("acme", 0, 1_000);
        const truth = await collection();
        const last = open("/views/shopping/stream");
        await last.until(isCaughtUpTo(commits.at(-1)!.position));
        for (const client of [...held, last]) {
          // A client that came back where nothing of its views changed since is told its own position again.
          await client.until(({ views }) => JSON.stringify([...views].sort()) === JSON.stringify([...truth].sort()));
          expect(client.views, `seed ${seed}`).to.deep.equal(truth);
        }
        expect(truth.size, "the test has something to compare").to.be.above(2);
      });
    }

    it("tell a client that comes back what changed meanwhile, and nothing else", async () => {
      await start();
      for (const id of ["milk", "bread", "salt"]) await send("AddItem", id, { text: id });
      const first = await open("/views/shopping/stream").until(isCaughtUpTo(3));
      await first.close();
      await send("RemoveItem", "bread");
      await send("WantOneMore", "salt");
      const second = open("/views/shopping/stream", { lastId: first.lastId, views: first.views });
      await second.until(isCaughtUpTo(5));
      expect(second.events.map(({ event, data }) => [event, data.id])).to.deep.equal([
        ["view", "bread"],
        ["view", "salt"],
        ["caught-up", undefined],
      ]);
      expect(second.views).to.deep.equal(await collection());
    });

    it("begin anew for a client with another version of the views, or with an id that is none", async () => {
      const store = new MemoryEventStore();
      await start({}, store);
      await send("AddItem", "milk", { text: "Milk" });
      const first = await open("/views/shopping/stream").until(isCaughtUpTo(1));
      for (const lastId of [
        first.lastId.replace(/.$/, (letter) => (letter === "0" ? "1" : "0")),
        "1",
        "-1.00000000",
        "x".repeat(999),
      ]) {
        const client = await open("/views/shopping/stream", { lastId, views: new Map([["ghost", {}]]) }).until(isCaughtUpTo(1));
        expect(client.events[0]?.event, lastId).to.equal("reset");
        expect([...client.views.keys()]).to.deep.equal(["milk"]);
      }
    });

    it("begin anew where a client was away for more than 1,000 commits", async () => {
      await start();
      await send("AddItem", "milk", { text: "Milk" });
      const first = await open("/views/shopping/stream").until(isCaughtUpTo(1));
      const lastId = first.lastId;
      for (let round = 0; round < 11; round++) await Promise.all(Array.from({ length: 100 }, () => send("WantOneMore", "milk")));
      const truth = await collection();
      const late = await open("/views/shopping/stream", { lastId }).until(isCaughtUpTo(1_101));
      expect(late.events[0]?.event).to.equal("reset");
      expect(late.views).to.deep.equal(truth);
    });

    it("begin anew when an operator rewinds the projection, and end with the same views", async () => {
      const inner = new MemoryEventStore();
      let isHeld = false;
      let looks = 0;
      const store = intercepted(inner, {
        acquire: async (...given) => (isHeld ? undefined : inner.acquire(...given)),
        peek: async (...given) => {
          looks++;
          return inner.peek(...given);
        },
      });
      await start({}, store);
      for (const id of ["milk", "bread"]) await send("AddItem", id, { text: id });
      const client = await open("/views/shopping/stream").until(isCaughtUpTo(2));
      await new StreamReader(inner).rewind("acme", "lists", new ShoppingList(), 0);
      isHeld = true;
      looks = 0;
      const { position } = await send("WantOneMore", "milk");
      // The keeper looks at most three times in this time, since it is not let in; the streams' follower looks on.
      while (looks < 5) await new Promise((resolve) => setTimeout(resolve, 5));
      isHeld = false;
      await client.until((one) => one.named("reset").length === 2);
      await client.until(isCaughtUpTo(position));
      expect(client.views).to.deep.equal(await collection());
      expect(client.views.size).to.equal(2);
    });

    it("begin anew when a rebuild puts another version's views in the place of theirs", async () => {
      class ShoppingListInCapitals extends ShoppingList {
        override readonly version = 1;
        override get events() {
          const before = super.events;
          const next: NonNullable<typeof before.ItemAdded>["next"] = (_item, { payload }) => {
            return { text: payload.text.toUpperCase(), wanted: 1, bought: 0, addedBy: "" };
          };
          return { ...before, ItemAdded: { id: (_event: unknown, commit: PositionedCommit) => commit.id, next } };
        }
      }
      await start();
      for (const id of ["milk", "bread"]) await send("AddItem", id, { text: id });
      const client = await open("/views/shopping/stream").until(isCaughtUpTo(2));
      const list = new ShoppingListInCapitals();
      const reader = new StreamReader(backend.store);
      await reader.rebuild("acme", "lists", list);
      const { position } = await send("AddItem", "salt", { text: "salt" });
      while ((await reader.poll("acme", "lists", [list])).cursors["shopping-list"] !== position);
      await client.until(isCaughtUpTo(position));
      const texts = [...client.views.values()].map((view) => (view as { text: string }).text).sort();
      expect(texts).to.deep.equal(["BREAD", "MILK", "SALT"]);
      const { lastId, views } = client;
      await client.close();
      const back = await open("/views/shopping/stream", { lastId, views }).until((one) => one.named("caught-up").length > 0);
      expect(back.views).to.deep.equal(views);
    });

    it("are refused to whoever may not read the collection, and show a tenant nothing of another", async () => {
      await start();
      await send("AddItem", "milk", { text: "Milk" });
      const outcomes = [
        [401, open("/views/shopping/stream", { bearer: "nonsense" })],
        [403, open("/views/shopping/stream", { bearer: await tokenOf({ roles: ["guest"] }) })],
        [404, open("/views/unknown/stream")],
        [400, open("/views/shopping/stream?id=")],
      ] as const;
      for (const [status, client] of outcomes) {
        await client.ended;
        expect(client.status, client.body).to.equal(status);
        expect(JSON.parse(client.body).status).to.equal(status);
      }
      const other = await tokenOf({ tenant: "other", roles });
      const foreign = await open("/views/shopping/stream", { bearer: other }).until(
        (client) => client.named("caught-up").length > 0,
      );
      await send("AddItem", "salt", { text: "Salt" }, other);
      await send("WantOneMore", "milk");
      await foreign.until(isCaughtUpTo(1));
      expect([...foreign.views.keys()]).to.deep.equal(["salt"]);
      const head = await fetch(`${backend.url}/views/shopping/stream`, {
        method: "HEAD",
        headers: { authorization: `Bearer ${token}` },
      });
      expect(head.status).to.equal(405);
    });
  });

  describe("of an aggregate", () => {
    it("send its history, then every commit, and after a reconnect from the next version on", async () => {
      await start();
      await send("AddItem", "milk", { text: "Milk" });
      await send("AddItem", "bread", { text: "Bread" });
      const first = open("/aggregates/items/milk/stream");
      await first.until((client) => client.events.length === 1);
      await send("WantOneMore", "milk");
      await first.until((client) => client.events.length === 2);
      await first.close();
      await send("BuyItem", "milk");
      await send("WantOneMore", "bread");
      const second = open("/aggregates/items/milk/stream", { lastId: first.lastId });
      await second.until((client) => client.events.length === 1);
      await send("RemoveItem", "milk");
      await second.until((client) => client.events.length === 2);
      const told = [...first.events, ...second.events];
      expect(told.map(({ event, id, data }) => [event, id.split(".")[0], data.version])).to.deep.equal([
        ["commit", "0", 0],
        ["commit", "1", 1],
        ["commit", "2", 2],
        ["commit", "3", 3],
      ]);
      const { body } = await backend.send("/aggregates/items/milk/events", { token });
      const plain = body.commits.map(({ events, commitId }) => ({ events, commitId }));
      expect(told.map(({ data: { events, commitId } }) => ({ events, commitId }))).to.deep.equal(plain);

      const after = open("/aggregates/items/stream?id=milk&after=2");
      await after.until((client) => client.events.length === 1);
      expect(after.events[0]?.data.version).to.equal(3);
      const coming = open("/aggregates/items/salt/stream");
      await send("AddItem", "salt", { text: "Salt" });
      await coming.until((client) => client.events.length === 1);
    });

    it("lose and double nothing under load with clients that leave and come back", async () => {
      await start({ buffer: 500 });
      const seen: number[] = [];
      await send("AddItem", "milk", { text: "Milk" });
      const sending = (async () => {
        for (let round = 0; round < 60; round++) await Promise.all(Array.from({ length: 5 }, () => send("WantOneMore", "milk")));
      })();
      const random = seededRandom(7);
      for (let lastId = ""; seen.length < 301; ) {
        const client = open("/aggregates/items/milk/stream", { lastId });
        const enough = Math.min(1 + random.below(40), 301 - seen.length);
        await client.until(({ events }) => events.length >= enough);
        await client.close();
        seen.push(...client.events.map(({ data }) => Number(data.version)));
        lastId = client.lastId;
      }
      await sending;
      expect(seen).to.deep.equal(Array.from({ length: 301 }, (_, version) => version));
    });

    it("begin anew in another life of the tenant", async () => {
      const store = new MemoryEventStore();
      await start({}, store);
      await send("AddItem", "milk", { text: "Milk" });
      await send("WantOneMore", "milk");
      const first = await open("/aggregates/items/milk/stream").until((client) => client.events.length === 2);
      await first.close();
      const records = [];
      for await (const record of store.export("acme")) records.push(record);
      await store.erase("acme");
      await store.import(
        "acme",
        (async function* () {
          yield* records;
        })(),
      );
      const second = await open("/aggregates/items/milk/stream", { lastId: first.lastId }).until(
        (client) => client.events.length === 3,
      );
      expect(second.events.map(({ event }) => event)).to.deep.equal(["reset", "commit", "commit"]);
    });

    it("end as soon as the state no longer lets their client read", async () => {
      /** A note that anybody may write until it is closed. */
      class Note extends Aggregate<{ Written: { text: string }; Closed: Record<string, never> }> {
        static readonly path = "/notes";
        static readonly access = { Write: (_actor: Actor, note: Note) => !note.isClosed, Close: ["clerk"] };
        isClosed = false;
        get commands() {
          return {
            Write: (context: CommandContext<Note, { text: string }>) => context.push("Written"),
            Close: (context: CommandContext<Note>) => context.push("Closed", {}),
          };
        }
        get events() {
          return {
            Written: () => {},
            Closed: () => {
              this.isClosed = true;
            },
          };
        }
      }
      backend = await startBackend({ composition: { aggregates: [Note], threads: {} } });
      await send("Write", "n1", { text: "one" });
      const client = await open("/aggregates/notes/n1/stream").until(({ events }) => events.length === 1);
      await send("Write", "n1", { text: "two" });
      await client.until(({ events }) => events.length === 2);
      await send("Close", "n1", {}, await tokenOf({ roles: ["clerk"] }));
      expect(await client.ended).to.equal("ended");
      expect(client.events.at(-1)).to.deep.include({ event: "end", data: { reason: "refused" } });
      expect(client.named("commit").map(({ data }) => data.version)).to.deep.equal([0, 1]);
    });

    it("are refused like the plain routes", async () => {
      await start();
      for (const [status, path, bearer] of [
        [401, "/aggregates/items/milk/stream", "nonsense"],
        [404, "/aggregates/unknown/milk/stream", token],
        [403, "/aggregates/items/milk/stream", await tokenOf({ roles: ["guest"] })],
        [400, "/aggregates/items/stream", token],
        [400, "/aggregates/items/milk/stream?after=-2", token],
        [400, "/aggregates/items/a%00b/stream", token],
      ] as const) {
        const client = open(path, { bearer });
        await client.ended;
        expect(client.status, path).to.equal(status);
      }
    });
  });

  describe("of every kind", () => {
    it("end with their token, saying so", async () => {
      await start();
      const short = await tokenOf({ roles, exp: Math.ceil(Date.now() / 1000) + 1 });
      const kinds = ["/views/shopping/stream", "/aggregates/items/milk/stream"].map((path) => open(path, { bearer: short }));
      for (const client of kinds) {
        expect(await client.ended).to.equal("ended");
        expect(client.events.at(-1)).to.deep.include({ event: "end", data: { reason: "expired" } });
      }
    });

    it("beat while nothing happens", async () => {
      await start({ heartbeat: 20 });
      await open("/views/shopping/stream").until(({ comments }) => comments >= 3);
    });

    it("are bounded for a tenant and for the process, and free their place when they end", async () => {
      await start({ perTenant: 2, perProcess: 3 });
      const other = await tokenOf({ tenant: "other", roles });
      const first = await open("/views/shopping/stream").until(({ status }) => status === 200);
      await open("/aggregates/items/milk/stream").until(({ status }) => status === 200);
      const third = open("/views/shopping/stream");
      await third.ended;
      expect([third.status, JSON.parse(third.body).code]).to.deep.equal([429, "too_many_streams"]);
      expect(third.headers.get("retry-after")).to.equal("5");
      await open("/views/shopping/stream", { bearer: other }).until(({ status }) => status === 200);
      const full = open("/views/shopping/stream", { bearer: other });
      await full.ended;
      expect([full.status, JSON.parse(full.body).code]).to.deep.equal([503, "streams_full"]);
      await first.close();
      for (let isFree = false; !isFree; ) {
        const again = open("/views/shopping/stream");
        isFree = await again
          .until(({ status }) => status === 200)
          .then(
            () => true,
            () => false,
          );
      }
    });

    it("outlive a store that fails for a while", async () => {
      const inner = new MemoryEventStore();
      let failing = 0;
      const store = intercepted(inner, {
        peek: (tenant, thread) =>
          failing-- > 0 ? Promise.reject(new StoreError("the store is away", { retryable: true })) : inner.peek(tenant, thread),
      });
      await start({}, store);
      const client = await open("/views/shopping/stream").until((one) => one.named("caught-up").length > 0);
      failing = 3;
      const { position } = await send("AddItem", "milk", { text: "Milk" });
      await client.until(isCaughtUpTo(position));
    });

    it("come without a store that rings", async () => {
      const inner = new MemoryEventStore();
      const store = intercepted(inner, {});
      Object.defineProperty(store, "watch", { value: undefined });
      await start({}, store);
      const client = await open("/views/shopping/stream").until((one) => one.named("caught-up").length > 0);
      const { position } = await send("AddItem", "milk", { text: "Milk" });
      await client.until(isCaughtUpTo(position));
    });
  });
});
