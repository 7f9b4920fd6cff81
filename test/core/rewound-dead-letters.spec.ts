import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Projection, type ProjectionEvents, StreamReader } from "../../core/index.ts";
import { tellerOf, type WalletEvents, walletsOn } from "../contract/wallet.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { TurnedClock } from "../support/turned-clock.ts";

/** Sums each wallet, and fails at the amounts that are poison. */
class Sums extends Projection<{ readonly sum: number }, WalletEvents> {
  override readonly name = "Sums";
  readonly collection = "sums";
  readonly poison = new Set<number>();
  get events(): ProjectionEvents<{ readonly sum: number }, WalletEvents> {
    return {
      Paid: {
        id: (_event, { id }) => id,
        next: (view, { payload: { amount } }) => {
          if (this.poison.has(amount)) throw new TypeError(`${amount} is poison`);
          return { sum: (view?.sum ?? 0) + amount };
        },
      },
    };
  }
}

describe("A projection with dead letters that is rewound", () => {
  async function stage(park: "event" | "aggregate") {
    const [store, clock, sums] = [new MemoryEventStore(), new TurnedClock(), new Sums()];
    const wallets = walletsOn({ store, clock });
    for (const amount of [1, 2, 3]) await wallets.command(tellerOf("t"), "Deposit", { aggregateId: "a", amount });
    sums.poison.add(2);
    const reader = new StreamReader(store, { platform: clock, retries: 0, onError: "park", park });
    const poll = () => pollUntilIdle(reader, "t", "main", [sums]);
    const parked = async () => (await reader.parked("t", "main")).parked.map(({ position }) => position);
    await poll();
    return { sums, reader, poll, parked };
  }

  it("parks an event that fails again, instead of losing it with the old dead letters", async () => {
    const { sums, reader, poll, parked } = await stage("event");
    expect(await parked()).to.deep.equal([2]);
    await reader.rewind("t", "main", sums);
    await poll();
    expect(await parked()).to.deep.equal([2]);
    sums.poison.clear();
    expect((await reader.retryParked("t", "main", sums)).retried).to.equal(1);
    expect(await reader.views("t", sums).get("a")).to.deep.equal({ sum: 6 });
  });

  it("holds nothing back for dead letters that went with the old views", async () => {
    const { sums, reader, poll, parked } = await stage("aggregate");
    expect(await parked()).to.deep.equal([2, 3]);
    sums.poison.clear();
    await reader.rewind("t", "main", sums);
    await poll();
    expect(await parked()).to.deep.equal([]);
    expect(await reader.views("t", sums).get("a")).to.deep.equal({ sum: 6 });
  });
});
