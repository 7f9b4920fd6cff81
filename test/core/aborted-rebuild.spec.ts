import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { StreamReader } from "../../core/index.ts";
import { Bookkeeper, tellerOf, walletsOn } from "../contract/wallet.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { TurnedClock } from "../support/turned-clock.ts";

describe("A rebuild whose signal aborts when it is about to switch, while the live views have gone on", () => {
  it("stops, and the same call goes on later", async () => {
    const [inner, clock, keeper, stop] = [new MemoryEventStore(), new TurnedClock(), new Bookkeeper(), new AbortController()];
    const wallets = walletsOn({ store: inner, clock });
    const deposit = () => wallets.command(tellerOf("t"), "Deposit", { aggregateId: "a", amount: 1 });
    await deposit();
    const live = new StreamReader(inner, { platform: clock });
    await pollUntilIdle(live, "t", "main", [keeper]);
    let isBuilt = false;
    let writes = 0;
    const store = intercepted(inner, {
      acquire: async (tenant, thread, seen, until) => {
        if (!isBuilt || thread !== "main" || stop.signal.aborted) return inner.acquire(tenant, thread, seen, until);
        await deposit();
        await pollUntilIdle(live, "t", "main", [keeper]);
        stop.abort();
        return undefined;
      },
      commitCursors: (lease, update) => {
        if (stop.signal.aborted && ++writes > 10) throw new Error("it goes on writing");
        return inner.commitCursors(lease, update);
      },
    });
    const rebuilding = new StreamReader(store, { platform: clock }).rebuild("t", "main", keeper, {
      signal: stop.signal,
      onProgress: () => {
        isBuilt = true;
      },
    });
    expect(await rebuilding).to.include({ status: "stopped", position: 1 });
    expect(await live.rebuild("t", "main", keeper)).to.include({ status: "switched", position: 2, events: 1 });
    expect((await live.poll("t", "main", [keeper])).status).to.equal("idle");
  });
});

describe("A rebuild whose signal aborts while another holds the thread that it needs", () => {
  for (const thread of ["bookings~rebuild", "main"]) {
    it(`stops at once where that is ${thread}, and the same call goes on later`, async () => {
      const [inner, clock, keeper, stop] = [new MemoryEventStore(), new TurnedClock(), new Bookkeeper(), new AbortController()];
      const wallets = walletsOn({ store: inner, clock });
      await wallets.command(tellerOf("t"), "Deposit", { aggregateId: "a", amount: 1 });
      const live = new StreamReader(inner, { platform: clock });
      await pollUntilIdle(live, "t", "main", [keeper]);
      const { thread: state } = await inner.peek("t", thread);
      const lease = await inner.acquire("t", thread, state, clock.now() + 3_600_000);
      let looks = 0;
      const store = intercepted(inner, {
        peek: async (tenant, name) => {
          if (name === thread && ++looks === 3) stop.abort();
          if (looks > 4) throw new Error("it goes on waiting");
          return inner.peek(tenant, name);
        },
      });
      const { signal } = stop;
      const stopped = await new StreamReader(store, { platform: clock }).rebuild("t", "main", keeper, { signal });
      expect(stopped).to.deep.equal({ status: "stopped", position: 0, events: 0 });
      await inner.commitCursors(lease!, { cursors: {}, leasedUntil: 0 });
      expect(await live.rebuild("t", "main", keeper)).to.deep.equal({ status: "switched", position: 1, events: 1 });
    });
  }
});
