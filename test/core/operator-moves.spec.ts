import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Err, StreamReader } from "../../core/index.ts";
import { Bookkeeper, tellerOf, Wallet, walletsOn } from "../contract/wallet.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { TurnedClock } from "../support/turned-clock.ts";

function stage() {
  const [store, clock] = [new MemoryEventStore(), new TurnedClock()];
  const wallets = walletsOn({ store, clock });
  const deposit = (aggregateId: string) => wallets.command(tellerOf("t"), "Deposit", { aggregateId, amount: 1 });
  return { store, clock, wallets, deposit };
}

describe("An operator's move", () => {
  it("skips nothing the second time: the event that comes next has not failed", async () => {
    const { store, clock, wallets } = stage();
    await wallets.command(tellerOf("t"), "NoteMany", { aggregateId: "a", count: 3, size: 1 });
    const heard: number[] = [];
    const listener = {
      name: "Listener",
      events: {
        Noted: (_tenant: string, _event: unknown, _commit: unknown, { index }: { readonly index: number }) => {
          if (index === 0) throw new Error("poison");
          heard.push(index);
        },
      },
    };
    const reader = new StreamReader(store, { platform: clock, retries: 0 });
    expect((await reader.poll("t", "main", [listener])).blocked).to.have.length(1);
    await reader.skip("t", "main", "Listener", "a test");
    expect((await rejects(Err, reader.skip("t", "main", "Listener", "clicked twice"))).code).to.equal("not_found");
    await pollUntilIdle(reader, "t", "main", [listener]);
    expect(heard).to.deep.equal([1, 2]);
    expect((await reader.parked("t", "main")).parked.map(({ index }) => index)).to.deep.equal([0]);
  });

  it("keeps its lease while handlers take their time, so that a reader does not take over in the middle", async () => {
    const { store, clock, deposit } = stage();
    for (let n = 0; n < 19; n++) await deposit(`a${n}`);
    const heard: string[] = [];
    let isBroken = true;
    const reader = new StreamReader(store, { platform: clock, retries: 0, onError: "park" });
    const listener = {
      name: "Listener",
      events: {
        Paid: async (_tenant: string, _event: unknown, { id }: { readonly id: string }) => {
          if (isBroken) throw new Error("poison");
          heard.push(id);
          clock.turn(2_000);
          // As `run` does somewhere else, all the time.
          if (id !== "a19") await reader.poll("t", "main", [{ name: "Other", events: {} }]);
        },
      },
    };
    await pollUntilIdle(reader, "t", "main", [listener]);
    isBroken = false;
    await deposit("a19");
    expect(await reader.retryParked("t", "main", listener)).to.deep.equal({ retried: 19, failed: 0, waiting: 0 });
    expect(heard).to.have.length(19);
  });
});

describe("A dead letter whose upcaster fails", () => {
  it("can be looked at all the same, as it is stored", async () => {
    class LiftedWallet extends Wallet {
      static readonly upcasters = {
        Paid: [
          () => {
            throw new TypeError("it cannot be lifted");
          },
        ],
      };
    }
    const { store, clock, deposit } = stage();
    await deposit("a");
    const reader = new StreamReader(store, { platform: clock, retries: 0, onError: "park", aggregates: [LiftedWallet] });
    await pollUntilIdle(reader, "t", "main", [{ name: "Listener", events: { Paid: () => {} } }]);
    const [parked] = (await reader.parked("t", "main")).parked;
    const letter = await reader.inspectParked("t", "main", parked!);
    expect(letter.parked.error).to.include("it cannot be lifted");
    expect(letter.event).to.deep.include({ name: "Paid", payload: { amount: 1 }, schemaVersion: 0 });
  });
});

describe("The attempts at an event", () => {
  it("are counted on where another handler of the thread fills each write before", async () => {
    const { store, clock, deposit } = stage();
    const faulty = { name: "Faulty", events: { Paid: () => Promise.reject(new Error("poison")) } };
    const reader = new StreamReader(store, { platform: clock, retries: 2, firstDelay: 1 });
    for (let attempts = 1; attempts <= 3; attempts++) {
      // As many views as one write takes.
      for (let n = 0; n < 89; n++) await deposit(`a${n}`);
      const { blocked } = await reader.poll("t", "main", [new Bookkeeper(), faulty], { limit: 89 });
      expect(blocked.map(({ attempts, halted }) => [attempts, halted])).to.deep.equal([[attempts, attempts === 3]]);
      clock.turn(10_000);
    }
  });
});
