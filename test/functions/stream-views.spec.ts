import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type PositionedCommit, StreamReader } from "../../core/index.ts";
import { ShoppingList } from "../../examples/pwa-backend/shopping.ts";
import { tokenOf } from "../support/functions-backend.ts";
import type { StreamClient } from "../support/functions-sse.ts";
import { isCaughtUpTo, MEMBER, StreamTools } from "../support/functions-streams.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { seededRandom } from "../support/seeded-random.ts";

describe("event streams of a collection", () => {
  const tools = new StreamTools();

  afterEach(() => tools.close());

  it("send what is there, then every change, with ids to resume from", async () => {
    await tools.start();
    await tools.send("AddItem", "milk", { text: "Milk" });
    await tools.collection();
    const client = await tools.open("/views/shopping/stream").until(({ views }) => views.size === 1);
    expect(client.headers.get("content-type")).to.equal("text/event-stream");
    expect(client.headers.get("cache-control")).to.equal("no-store");
    await client.until(isCaughtUpTo(1));
    expect(client.events.map(({ event }) => event)).to.deep.equal(["reset", "view", "caught-up"]);
    expect(client.events.map(({ id }) => id.split(".")[0])).to.deep.equal(["", "", "1"]);

    await tools.send("AddItem", "bread", { text: "Bread" });
    await client.until(isCaughtUpTo(2));
    await tools.send("RemoveItem", "milk");
    await client.until(isCaughtUpTo(3));
    expect(client.named("view").at(-1)?.data).to.deep.equal({ id: "milk", deleted: true });
    expect(client.views).to.deep.equal(await tools.collection());
    expect(client.retry).to.be.within(1_000, 2_000);
  });

  it("of one view send that view only", async () => {
    await tools.start();
    await tools.send("AddItem", "milk", { text: "Milk" });
    await tools.send("AddItem", "bread", { text: "Bread" });
    await tools.collection();
    const client = await tools.open("/views/shopping/stream?id=milk").until(isCaughtUpTo(2));
    await tools.send("WantOneMore", "bread");
    const { position } = await tools.send("WantOneMore", "milk");
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
      await tools.start({ buffer: 1 + random.below(2_000) }, store);
      const held = Array.from({ length: 6 }, () => tools.open("/views/shopping/stream"));
      for (let step = 0; step < 150; step++) {
        const id = `item${random.below(40)}`;
        const name = random.chance(0.1) ? "RemoveItem" : random.chance(0.4) ? "AddItem" : "WantOneMore";
        // Refused where the item is not on the list, or was already: that is part of it.
        await tools.backend.command(name, { aggregateId: id, ...(name === "AddItem" && { text: id }) }, {}, tools.token);
        if (random.chance(0.2)) {
          const at = random.below(held.length);
          const left = held[at] as StreamClient;
          await left.close();
          held[at] = tools.open("/views/shopping/stream", { lastId: left.lastId, views: left.views });
        }
      }
      const { commits } = await store.read("acme", 0, 1_000);
      const truth = await tools.collection();
      const last = tools.open("/views/shopping/stream");
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
    await tools.start();
    for (const id of ["milk", "bread", "salt"]) await tools.send("AddItem", id, { text: id });
    const first = await tools.open("/views/shopping/stream").until(isCaughtUpTo(3));
    await first.close();
    await tools.send("RemoveItem", "bread");
    await tools.send("WantOneMore", "salt");
    const second = tools.open("/views/shopping/stream", { lastId: first.lastId, views: first.views });
    await second.until(isCaughtUpTo(5));
    expect(second.events.map(({ event, data }) => [event, data.id])).to.deep.equal([
      ["view", "bread"],
      ["view", "salt"],
      ["caught-up", undefined],
    ]);
    expect(second.views).to.deep.equal(await tools.collection());
  });

  it("begin anew for a client with another version of the views, or with an id that is none", async () => {
    const store = new MemoryEventStore();
    await tools.start({}, store);
    await tools.send("AddItem", "milk", { text: "Milk" });
    const first = await tools.open("/views/shopping/stream").until(isCaughtUpTo(1));
    for (const lastId of [
      first.lastId.replace(/.$/, (letter) => (letter === "0" ? "1" : "0")),
      "1",
      "-1.00000000",
      "x".repeat(999),
    ]) {
      const client = await tools
        .open("/views/shopping/stream", { lastId, views: new Map([["ghost", {}]]) })
        .until(isCaughtUpTo(1));
      expect(client.events[0]?.event, lastId).to.equal("reset");
      expect([...client.views.keys()]).to.deep.equal(["milk"]);
    }
  });

  it("begin anew where a client was away for more than 1,000 commits", async () => {
    await tools.start();
    await tools.send("AddItem", "milk", { text: "Milk" });
    const first = await tools.open("/views/shopping/stream").until(isCaughtUpTo(1));
    const lastId = first.lastId;
    for (let round = 0; round < 11; round++)
      await Promise.all(Array.from({ length: 100 }, () => tools.send("WantOneMore", "milk")));
    const truth = await tools.collection();
    const late = await tools.open("/views/shopping/stream", { lastId }).until(isCaughtUpTo(1_101));
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
    await tools.start({}, store);
    for (const id of ["milk", "bread"]) await tools.send("AddItem", id, { text: id });
    const client = await tools.open("/views/shopping/stream").until(isCaughtUpTo(2));
    await new StreamReader(inner).rewind("acme", "lists", new ShoppingList(), 0);
    isHeld = true;
    looks = 0;
    const { position } = await tools.send("WantOneMore", "milk");
    // The keeper looks at most three times in this time, since it is not let in; the streams' follower looks on.
    while (looks < 5) await new Promise((resolve) => setTimeout(resolve, 5));
    isHeld = false;
    await client.until((one) => one.named("reset").length === 2);
    await client.until(isCaughtUpTo(position));
    expect(client.views).to.deep.equal(await tools.collection());
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
    await tools.start();
    for (const id of ["milk", "bread"]) await tools.send("AddItem", id, { text: id });
    const client = await tools.open("/views/shopping/stream").until(isCaughtUpTo(2));
    const list = new ShoppingListInCapitals();
    const reader = new StreamReader(tools.backend.store);
    await reader.rebuild("acme", "lists", list);
    const { position } = await tools.send("AddItem", "salt", { text: "salt" });
    while ((await reader.poll("acme", "lists", [list])).cursors["shopping-list"] !== position);
    await client.until(isCaughtUpTo(position));
    const texts = [...client.views.values()].map((view) => (view as { text: string }).text).sort();
    expect(texts).to.deep.equal(["BREAD", "MILK", "SALT"]);
    const { lastId, views } = client;
    await client.close();
    const back = await tools.open("/views/shopping/stream", { lastId, views }).until((one) => one.named("caught-up").length > 0);
    expect(back.views).to.deep.equal(views);
  });

  it("are refused to whoever may not read the collection, and show a tenant nothing of another", async () => {
    await tools.start();
    await tools.send("AddItem", "milk", { text: "Milk" });
    const outcomes = [
      [401, tools.open("/views/shopping/stream", { bearer: "nonsense" })],
      [403, tools.open("/views/shopping/stream", { bearer: await tokenOf({ roles: ["guest"] }) })],
      [404, tools.open("/views/unknown/stream")],
      [400, tools.open("/views/shopping/stream?id=")],
    ] as const;
    for (const [status, client] of outcomes) {
      await client.ended;
      expect(client.status, client.body).to.equal(status);
      expect(JSON.parse(client.body).status).to.equal(status);
    }
    const other = await tokenOf({ tenant: "other", roles: MEMBER });
    const foreign = await tools
      .open("/views/shopping/stream", { bearer: other })
      .until((client) => client.named("caught-up").length > 0);
    await tools.send("AddItem", "salt", { text: "Salt" }, other);
    await tools.send("WantOneMore", "milk");
    await foreign.until(isCaughtUpTo(1));
    expect([...foreign.views.keys()]).to.deep.equal(["salt"]);
    const head = await fetch(`${tools.backend.url}/views/shopping/stream`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${tools.token}` },
    });
    expect(head.status).to.equal(405);
  });
});
