import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, type IEventStore, Projection, type ProjectionEvents, StreamReader } from "../../core/index.ts";
import { Account, Accounts } from "../../examples/bank-account/index.ts";
import { actorOf } from "../support/actors.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { onEveryStore, type Stage } from "../support/stores.ts";

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

/** A hundred events on ten accounts; reads along until all have appeared, so that one poll finds them on every store. */
async function work({ store, clock, newTenant }: Stage): Promise<string> {
  const handler = new CommandHandler(store, [Account], { platform: clock });
  const actor = actorOf(newTenant());
  const use = async (aggregateId: string) => {
    await handler.command(actor, "OpenAccount", { owner: "ada", aggregateId });
    for (let n = 0; n < 9; n++) await handler.command(actor, "RecordTransactions", { amounts: [1], text: "one", aggregateId });
  };
  // Together, because accounts do not depend on each other.
  await Promise.all(Array.from({ length: 10 }, (_, n) => use(`a${n}`)));
  const reader = new StreamReader(store, { platform: clock });
  expect(await pollUntilIdle(reader, actor.tenant, "before", [new Hearing()])).to.equal(100);
  return actor.tenant;
}

/** Hears of every event, and keeps nothing. */
class Hearing {
  readonly name = "hearing";
  readonly events = { AccountOpened: () => {}, TransactionRecorded: () => {} };
}

onEveryStore("The views of one batch", (stage) => {
  it("are written together in a poll: 100 events on 10 views are 10 views in one write", async () => {
    const tenant = await work(stage);
    const { store, counts } = counting(stage.store);
    const reader = new StreamReader(store, { platform: stage.clock });
    const { handled } = await reader.poll(tenant, "main", [new Accounts()], { limit: 100 });
    expect(handled).to.equal(100);
    expect(counts).to.deep.equal({ views: 10, writes: 1 });
  });

  it("are written together in a rebuild: 10 views in one write, and one more for the pointer", async () => {
    const tenant = await work(stage);
    const { store, counts } = counting(stage.store);
    const reader = new StreamReader(store, { platform: stage.clock });
    await pollUntilIdle(reader, tenant, "main", [new Accounts()]);
    Object.assign(counts, { views: 0, writes: 0 });
    const { events } = await reader.rebuild(tenant, "main", new Accounts(), { limit: 100 });
    expect(events).to.equal(100);
    expect(counts).to.deep.equal({ views: 10 + 1, writes: 2 });
  });
});

describe("The views of a projection", () => {
  it("are never written unread: an id that is another one each time is the projection's failure", async () => {
    const store = new MemoryEventStore();
    await new CommandHandler(store, [Account]).command(actorOf("t"), "OpenAccount", { owner: "ada", aggregateId: "a" });
    const reader = new StreamReader(store, { retries: 0 });
    const { blocked } = await reader.poll("t", "main", [new Restless()]);
    expect(blocked[0]?.error).to.include("derive it from the event and its commit only, the same at each call");
    expect(await reader.views("t", new Restless()).list()).to.deep.equal({ views: [] });
  });
});
