import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { StreamReader } from "../../core/index.ts";
import { tellerOf, walletsOn } from "../contract/wallet.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { TurnedClock } from "../support/turned-clock.ts";

describe("A retry of one parked event of many", () => {
  it("writes no more than one of few", async () => {
    const [inner, clock] = [new MemoryEventStore(), new TurnedClock()];
    const wallets = walletsOn({ store: inner, clock });
    for (let n = 0; n < 30; n++) await wallets.command(tellerOf("t"), "Deposit", { aggregateId: `a${n}`, amount: 1 });
    let isBroken = true;
    const listener = {
      name: "Listener",
      events: {
        Paid: () => {
          if (isBroken) throw new Error("poison");
        },
      },
    };
    let writes = 0;
    const store = intercepted(inner, {
      commitCursors: (lease, update) => {
        writes++;
        return inner.commitCursors(lease, update);
      },
    });
    const reader = new StreamReader(store, { platform: clock, retries: 0, onError: "park" });
    await pollUntilIdle(reader, "t", "main", [listener]);
    const { position, index } = (await reader.parked("t", "main")).parked.at(-1)!;
    isBroken = false;
    writes = 0;
    expect(await reader.retryParked("t", "main", listener, { position, index })).to.include({ retried: 1 });
    expect(writes).to.equal(1);
  });
});
