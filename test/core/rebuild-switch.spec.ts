import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Projection, type ProjectionEvents, StreamReader } from "../../core/index.ts";
import { tellerOf, type WalletEvents, walletsOn } from "../contract/wallet.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { TurnedClock } from "../support/turned-clock.ts";

/** Counts the notes of each wallet, and cannot count to three. */
class Notes extends Projection<{ readonly count: number }, WalletEvents> {
  override readonly name = "Notes";
  readonly collection = "notes";
  get events(): ProjectionEvents<{ readonly count: number }, WalletEvents> {
    return {
      Noted: {
        id: (_event, { id }) => id,
        next: (view) => {
          if (view?.count === 2) throw new TypeError("three is too much");
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
