import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, type IEventStore, Projection, type ProjectionEvents, StreamReader } from "../../core/index.ts";
import { Account, Accounts } from "../../examples/bank-account/index.ts";
import { actorOf } from "../support/actors.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";

/** A store that counts the views written, and the writes that they came in. */
function counting(inner: IEventStore) {
  const counts = { views: 0, writes: 0 };
  const store = intercepted(inner, {
    commitCursors: (lease, update) => {
      counts.views += update.views?.length ?? 0;
      counts.writes += update.views?.length ? 1 : 0;
      return inner.commitCursors(lease, update);
    },
  });
  return { store, counts };
}

/** Gives an event another id each time it is asked. */
class Restless extends Projection<{ seen: number }, { AccountOpened: { owner: string } }> {
  readonly collection = "restless";
  asked = 0;
  readonly events: ProjectionEvents<{ seen: number }, { AccountOpened: { owner: string } }> = {
    AccountOpened: { id: () => `v${this.asked++}`, next: (view) => ({ seen: (view?.seen ?? 0) + 1 }) },
  };
}

describe("The views of one batch", () => {
  const actor = actorOf("t");

  /** A hundred events on ten accounts. */
  async function work(store: IEventStore): Promise<void> {
    const handler = new CommandHandler(store, [Account]);
    for (let n = 0; n < 10; n++) await handler.command(actor, "OpenAccount", { owner: "ada", aggregateId: `a${n}` });
    for (let n = 0; n < 90; n++)
      await handler.command(actor, "RecordTransactions", { amounts: [1], text: "one", aggregateId: `a${n % 10}` });
  }

  it("are written together in a poll: 100 events on 10 views are 10 views in one write", async () => {
    const { store, counts } = counting(new MemoryEventStore());
    await work(store);
    expect((await store.peek("t", "main")).head).to.equal(100);
    const handled = await pollUntilIdle(new StreamReader(store), "t", "main", [new Accounts()], { limit: 100 });
    expect(handled).to.equal(100);
    expect(counts).to.deep.equal({ views: 10, writes: 1 });
  });

  it("are written together in a rebuild: 10 views in one write, and one more for the pointer", async () => {
    const { store, counts } = counting(new MemoryEventStore());
    await work(store);
    const reader = new StreamReader(store);
    await pollUntilIdle(reader, "t", "main", [new Accounts()]);
    Object.assign(counts, { views: 0, writes: 0 });
    const { events } = await reader.rebuild("t", "main", new Accounts(), { limit: 100 });
    expect(events).to.equal(100);
    expect(counts).to.deep.equal({ views: 10 + 1, writes: 2 });
  });

  it("are never written unread: an id that is another one each time is the projection's failure", async () => {
    const store = new MemoryEventStore();
    await new CommandHandler(store, [Account]).command(actor, "OpenAccount", { owner: "ada", aggregateId: "a" });
    const reader = new StreamReader(store, { retries: 0 });
    const { blocked } = await reader.poll("t", "main", [new Restless()]);
    expect(blocked[0]?.error).to.include("derive it from the event and its commit only, the same at each call");
    expect(await reader.views("t", new Restless()).list()).to.deep.equal({ views: [] });
  });
});
