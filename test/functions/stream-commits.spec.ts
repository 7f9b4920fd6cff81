import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type Actor, Aggregate, type CommandContext } from "../../core/index.ts";
import { tokenOf } from "../support/functions-backend.ts";
import { StreamTools } from "../support/functions-streams.ts";
import { seededRandom } from "../support/seeded-random.ts";

describe("event streams of an aggregate", () => {
  const tools = new StreamTools();

  afterEach(() => tools.close());

  it("send its history, then every commit, and after a reconnect from the next version on", async () => {
    await tools.start();
    await tools.send("AddItem", "milk", { text: "Milk" });
    await tools.send("AddItem", "bread", { text: "Bread" });
    const first = tools.open("/aggregates/items/milk/stream");
    await first.until((client) => client.events.length === 1);
    await tools.send("WantOneMore", "milk");
    await first.until((client) => client.events.length === 2);
    await first.close();
    await tools.send("BuyItem", "milk");
    await tools.send("WantOneMore", "bread");
    const second = tools.open("/aggregates/items/milk/stream", { lastId: first.lastId });
    await second.until((client) => client.events.length === 1);
    await tools.send("RemoveItem", "milk");
    await second.until((client) => client.events.length === 2);
    const told = [...first.events, ...second.events];
    expect(told.map(({ event, id, data }) => [event, id.split(".")[0], data.version])).to.deep.equal([
      ["commit", "0", 0],
      ["commit", "1", 1],
      ["commit", "2", 2],
      ["commit", "3", 3],
    ]);
    const { body } = await tools.backend.send("/aggregates/items/milk/events", { token: tools.token });
    expect(told.map(({ data }) => data)).to.deep.equal(body.commits);

    const after = tools.open("/aggregates/items/stream?id=milk&after=2");
    await after.until((client) => client.events.length === 1);
    expect(after.events[0]?.data.version).to.equal(3);
    const coming = tools.open("/aggregates/items/salt/stream");
    await tools.send("AddItem", "salt", { text: "Salt" });
    await coming.until((client) => client.events.length === 1);
  });

  it("lose and double nothing under load with clients that leave and come back", async () => {
    await tools.start({ buffer: 500 });
    const seen: number[] = [];
    await tools.send("AddItem", "milk", { text: "Milk" });
    const sending = (async () => {
      for (let round = 0; round < 60; round++)
        await Promise.all(Array.from({ length: 5 }, () => tools.send("WantOneMore", "milk")));
    })();
    const random = seededRandom(7);
    for (let lastId = ""; seen.length < 301; ) {
      const client = tools.open("/aggregates/items/milk/stream", { lastId });
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
    await tools.start({}, store);
    await tools.send("AddItem", "milk", { text: "Milk" });
    await tools.send("WantOneMore", "milk");
    const first = await tools.open("/aggregates/items/milk/stream").until((client) => client.events.length === 2);
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
    const second = await tools
      .open("/aggregates/items/milk/stream", { lastId: first.lastId })
      .until((client) => client.events.length === 3);
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
    await tools.start({}, new MemoryEventStore(), { aggregates: [Note], threads: {} });
    await tools.send("Write", "n1", { text: "one" });
    const client = await tools.open("/aggregates/notes/n1/stream").until(({ events }) => events.length === 1);
    await tools.send("Write", "n1", { text: "two" });
    await client.until(({ events }) => events.length === 2);
    await tools.send("Close", "n1", {}, await tokenOf({ roles: ["clerk"] }));
    expect(await client.ended).to.equal("ended");
    expect(client.events.at(-1)).to.deep.include({ event: "end", data: { reason: "refused" } });
    expect(client.named("commit").map(({ data }) => data.version)).to.deep.equal([0, 1]);
  });

  it("are refused like the plain routes", async () => {
    await tools.start();
    for (const [status, path, bearer] of [
      [401, "/aggregates/items/milk/stream", "nonsense"],
      [404, "/aggregates/unknown/milk/stream", tools.token],
      [403, "/aggregates/items/milk/stream", await tokenOf({ roles: ["guest"] })],
      [400, "/aggregates/items/stream", tools.token],
      [400, "/aggregates/items/milk/stream?after=-2", tools.token],
      [400, "/aggregates/items/a%00b/stream", tools.token],
    ] as const) {
      const client = tools.open(path, { bearer });
      await client.ended;
      expect(client.status, path).to.equal(status);
    }
  });
});
