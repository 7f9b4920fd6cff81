import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { defaultPlatform, Err, type IPlatform, StreamReader, type Trace } from "../../core/index.ts";
import { Bookkeeper, tellerOf, walletsOn } from "../contract/wallet.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { TurnedClock } from "../support/turned-clock.ts";

describe("A reader of many tenants of which one is damaged", () => {
  it("reads the others, tells so, and goes on with that one once it is restored", async () => {
    const [inner, stop] = [new MemoryEventStore(), new AbortController()];
    const wallets = walletsOn({ store: inner, clock: new TurnedClock() });
    for (const tenant of ["damaged", "well"]) await wallets.command(tellerOf(tenant), "Deposit", { aggregateId: "a", amount: 1 });
    let isDamaged = true;
    const store = intercepted(inner, {
      read: async (tenant, after, limit) => {
        if (isDamaged && tenant === "damaged") throw new Err("integrity", "a commit is missing: restore it from a backup");
        return inner.read(tenant, after, limit);
      },
    });
    const told: Trace[] = [];
    const tracer = { trace: (make: () => Trace) => told.push(make()) };
    // No pause is longer, so that the test need not wait until somebody would look again.
    const platform: IPlatform = { ...defaultPlatform, sleep: (_ms, signal) => defaultPlatform.sleep(5, signal) };
    const reader = new StreamReader(store, { platform, tracer });
    const running = reader.run(["damaged", "well"], "main", [new Bookkeeper()], { signal: stop.signal, interval: 10 });
    const read = (tenant: string) => Promise.race([running, reader.waitFor(tenant, "main", tenant === "well" ? 2 : 1)]);
    try {
      while (!told.some(({ method }) => method === "error")) await Promise.race([running, defaultPlatform.sleep(5)]);
      await wallets.command(tellerOf("well"), "Deposit", { aggregateId: "a", amount: 1 });
      expect(await read("well")).to.equal(true);
      const error = told.find(({ method }) => method === "error");
      expect([error?.tenant, Err.is(error?.error, "integrity")]).to.deep.equal(["damaged", true]);
      isDamaged = false;
      expect(await read("damaged")).to.equal(true);
    } finally {
      stop.abort();
      await running;
    }
  });
});
