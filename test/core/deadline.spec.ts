import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, ConcurrencyError, type PendingCommit } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { gate } from "../support/gate.ts";
import { HandClock } from "../support/hand-clock.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";

const actor = actorOf("t");

/** A handler whose first commits conflict, as if somebody were always faster. */
function contested(conflicts: number, chance = 0.5, deadline?: number) {
  const platform = new HandClock();
  platform.chance = chance;
  const inner = new MemoryEventStore();
  const tried: PendingCommit[] = [];
  const store = intercepted(inner, {
    commit: async (tenant, pending) => {
      const [first] = pending;
      if (first === undefined || tried.length >= conflicts) return inner.commit(tenant, pending);
      tried.push(first);
      return [{ status: "conflict", type: "summing-calculators", id: "calc", actual: 41 }];
    },
  });
  const handler = new CommandHandler(store, [SummingCalculator], { platform, ...(deadline === undefined ? {} : { deadline }) });
  const add = (expectedVersion?: number) =>
    handler.command(actor, "AddNumbers", {
      number1: 1,
      number2: 0,
      aggregateId: "calc",
      ...(expectedVersion === undefined ? {} : { expectedVersion }),
    });
  return { platform, tried, add };
}

describe("A conflict", () => {
  it("is decided again, with a new commitId, until it succeeds", async () => {
    const { add, tried } = contested(3);
    expect((await add()).aggregate.sum).to.equal(1);
    expect(tried).to.have.length(3);
    expect(new Set(tried.map(({ commitId }) => commitId)).size).to.equal(3);
  });

  it("waits a random part of a time that doubles from 4 ms to 250 ms", async () => {
    const { add, platform } = contested(9);
    await add();
    expect(platform.slept).to.deep.equal([2, 4, 8, 16, 32, 64, 125, 125, 125]);
    const eager = contested(3, 0);
    await eager.add();
    expect(eager.platform.slept).to.deep.equal([0, 0, 0]);
  });

  it("is an error after the deadline of 8 s, which no wait passes", async () => {
    const { add, platform } = contested(Number.POSITIVE_INFINITY, 0.99);
    const start = platform.now();
    const error = await rejects(ConcurrencyError, add());
    expect([error.expected, error.actual, error.code]).to.deep.equal([-1, 41, "concurrency"]);
    expect(platform.now() - start).to.be.closeTo(8_000, 1);
  });

  it("is an error after the deadline that the handler is given", async () => {
    const { add, platform, tried } = contested(Number.POSITIVE_INFINITY, 0.5, 100);
    const start = platform.now();
    await rejects(ConcurrencyError, add());
    expect(platform.now() - start).to.be.closeTo(100, 1);
    expect(tried.length).to.be.within(5, 50);
  });

  it("is an error after a deadline that counts from the call, the wait for an earlier command included", async () => {
    const platform = new HandClock();
    platform.chance = 0.99;
    const earlier = gate();
    let commits = 0;
    const store = intercepted(new MemoryEventStore(), {
      commit: async () => {
        if (commits++ === 0) {
          await earlier.passed;
          platform.time += 5_000;
        }
        return [{ status: "conflict", type: "summing-calculators", id: "calc", actual: 41 }];
      },
    });
    const handler = new CommandHandler(store, [SummingCalculator], { platform });
    const numbers = { number1: 1, number2: 0, aggregateId: "calc" };
    const start = platform.now();
    const first = rejects(ConcurrencyError, handler.command(actor, "AddNumbers", { ...numbers, expectedVersion: -1 }));
    const second = rejects(ConcurrencyError, handler.command(actor, "AddNumbers", numbers));
    earlier.open();
    await Promise.all([first, second]);
    expect(platform.now() - start).to.be.closeTo(8_000, 1);
  });

  it("is an error at once where a version was expected", async () => {
    const { add, platform, tried } = contested(Number.POSITIVE_INFINITY);
    const error = await rejects(ConcurrencyError, add(-1));
    expect([error.expected, error.actual]).to.deep.equal([-1, 41]);
    expect([tried.length, platform.slept]).to.deep.equal([1, []]);
  });
});
