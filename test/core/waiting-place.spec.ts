import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { StreamReader } from "../../core/index.ts";
import { tellerOf, walletsOn } from "../contract/wallet.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { TurnedClock } from "../support/turned-clock.ts";

describe("A place that a thread waits for", () => {
  it("keeps the time since when, although a handler far behind it is read on the same thread", async () => {
    const [inner, clock] = [new MemoryEventStore(), new TurnedClock()];
    const wallets = walletsOn({ store: inner, clock });
    for (let n = 0; n < 5; n++) await wallets.command(tellerOf("t"), "Deposit", { aggregateId: "a", amount: 1 });
    let isInFlight = true;
    const store = intercepted(inner, {
      read: async (tenant, after, limit, waiting) => {
        const { commits, next } = await inner.read(tenant, after, limit);
        // The last commit has its place, and is not there yet.
        if (!isInFlight || next < 5) return { commits, next };
        const shown = commits.filter(({ position }) => position < 5);
        return { commits: shown, next: 4, waiting: waiting ?? { position: 5, since: clock.now() } };
      },
    });
    const reader = new StreamReader(store, { platform: clock });
    const [near, far] = ["near", "far"].map((name) => ({ name, events: { Paid: () => {} } }));
    const since = async () => (await inner.peek("t", "main")).thread.waiting?.since;
    await reader.poll("t", "main", [near!]);
    const first = await since();
    expect(first).to.be.a("number");
    for (let polls = 0; polls < 3; polls++) {
      clock.turn(4_000);
      const { cursors } = await reader.poll("t", "main", [near!, far!], { limit: 1 });
      expect(cursors).to.deep.equal({ near: 4, far: polls + 1 });
      expect(await since()).to.equal(first);
    }
    isInFlight = false;
    await reader.poll("t", "main", [near!, far!], { limit: 1 });
    expect(await since()).to.equal(undefined);
  });
});
