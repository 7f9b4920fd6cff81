import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Err, Projection, type ProjectionEvents, StreamReader } from "../../core/index.ts";
import { tellerOf, type WalletEvents, walletsOn } from "../contract/wallet.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { TurnedClock } from "../support/turned-clock.ts";

/** Counts the notes of each wallet, and at first cannot count to three. */
class Notes extends Projection<{ readonly count: number }, WalletEvents> {
  override readonly name = "Notes";
  readonly collection = "notes";
  most = 2;
  get events(): ProjectionEvents<{ readonly count: number }, WalletEvents> {
    return {
      Noted: {
        id: (_event, { id }) => id,
        next: (view) => {
          if (view?.count === this.most) throw new TypeError("this is too much");
          return { count: (view?.count ?? 0) + 1 };
        },
      },
    };
  }
}

describe("A rebuild that passes over the last event of a commit just before it switches", () => {
  it("does not hand the commit's first events to the new views again", async () => {
    const [inner, clock, notes] = [new MemoryEventStore(), new TurnedClock(), new Notes()];
    const wallets = walletsOn({ store: inner, clock });
    const note = (count: number) => wallets.command(tellerOf("t"), "NoteMany", { aggregateId: "a", count, size: 1 });
    const live = new StreamReader(inner, { platform: clock, retries: 0 });
    await note(1);
    await pollUntilIdle(live, "t", "main", [notes]);
    let looks = 0;
    const store = intercepted(inner, {
      peek: async (tenant, thread) => {
        const seen = await inner.peek(tenant, thread);
        // The second look is for the order's head; the commit comes after it.
        if (thread !== "notes~rebuild" || ++looks !== 2) return seen;
        await note(2);
        await live.poll("t", "main", [notes]);
        await live.skip("t", "main", "Notes", "nobody needs it");
        return seen;
      },
    });
    const rebuilt = await new StreamReader(store, { platform: clock }).rebuild("t", "main", notes);
    expect(rebuilt).to.include({ status: "switched", position: 1, events: 2 });
    await pollUntilIdle(live, "t", "main", [notes]);
    expect(await live.views("t", notes).get("a")).to.deep.equal({ count: 2 });
  });
});

describe("A rebuild that passed over an event which the operator then wants back", () => {
  it("does not switch to views without it, and works once they are discarded", async () => {
    const [store, clock, notes] = [new MemoryEventStore(), new TurnedClock(), new Notes()];
    const wallets = walletsOn({ store, clock });
    const reader = new StreamReader(store, { platform: clock, retries: 0, onError: "park" });
    await wallets.command(tellerOf("t"), "NoteMany", { aggregateId: "a", count: 3, size: 1 });
    await pollUntilIdle(reader, "t", "main", [notes]);
    const [parked] = (await reader.parked("t", "main")).parked;
    await reader.skipParked("t", "main", parked!, "nobody needs it");
    expect(await reader.rebuild("t", "main", notes, { hold: true })).to.include({ status: "ready" });
    notes.most = 3;
    expect(await reader.retryParked("t", "main", notes, parked!)).to.include({ retried: 1 });
    const error = await rejects(Err, reader.rebuild("t", "main", notes));
    expect(error.code).to.equal("precondition");
    expect(error.message).to.include("discard");
    expect(await reader.views("t", notes).get("a")).to.deep.equal({ count: 3 });
    await reader.discard("t", "main", notes);
    expect(await reader.rebuild("t", "main", notes)).to.include({ status: "switched" });
    expect(await reader.views("t", notes).get("a")).to.deep.equal({ count: 3 });
  });
});
