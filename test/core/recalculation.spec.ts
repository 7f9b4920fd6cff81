import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { exportAll, stream } from "../contract/reading.ts";
import { actorOf } from "../support/actors.ts";

/** Once took snapshots; its state is no JSON any more. */
class Unsnapped extends SummingCalculator {
  static readonly snapshot = false;
  readonly numbers = new Map<string, number>();
}

describe("A recalculation", () => {
  it("finds no snapshot of a class that takes none any more, whatever the time before left", async () => {
    const store = new MemoryEventStore();
    const actor = actorOf("t");
    await new CommandHandler(store, [SummingCalculator]).command(actor, "AddNumbers", {
      number1: 1,
      number2: 2,
      aggregateId: "c",
    });
    expect((await store.load({ tenant: "t", type: "summing-calculators", id: "c" })).snapshot?.version).to.equal(0);
    const { aggregate, snapshot } = await new CommandHandler(store, [Unsnapped]).recalculate(actor, Unsnapped, "c");
    expect([aggregate.sum, snapshot]).to.deep.equal([3, "none"]);
  });
});

describe("The comparison with a fold in development", () => {
  it("accuses no state that was kept from an earlier life of the tenant", async () => {
    const store = new MemoryEventStore();
    const actor = actorOf("t");
    const [handler, other] = [true, false].map((development) => new CommandHandler(store, [SummingCalculator], { development }));
    const add = (who: typeof handler, number1: number) =>
      who!.command(actor, "AddNumbers", { number1, number2: 0, aggregateId: "c" });
    await store.open("t");
    const empty = await exportAll(store, "t");
    await add(handler, 1);
    await store.erase("t");
    await store.import("t", stream(empty));
    await add(other, 40);
    // Of the same version as the one that is kept, and of another state.
    expect((await add(handler, 2)).aggregate.sum).to.equal(42);
  });
});
