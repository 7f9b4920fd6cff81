import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type AggregateClass, type BatchItem, type BatchResult, StreamReader } from "../../core/index.ts";
import { Parcel, pack } from "../support/parcels.ts";
import { TurnedClock } from "../support/turned-clock.ts";

type Answer = (items: readonly BatchItem[]) => BatchResult | Promise<BatchResult>;

describe("A handler that takes batches", () => {
  const numberOf = ({ event }: BatchItem) => (event.payload as { number: number }).number;

  async function stage(commits: number, events: number, answer: Answer, aggregates: readonly AggregateClass[] = []) {
    const clock = new TurnedClock();
    const store = new MemoryEventStore({ now: () => clock.now() });
    await pack(store, "t", ["a"], commits, events);
    const finished: number[] = [];
    const sizes: number[] = [];
    const handler = {
      name: "batching",
      events: { Packed: () => Promise.reject(new Error("not called")) },
      batch: async (tenant: string, items: readonly BatchItem[]) => {
        expect(tenant).to.equal("t");
        sizes.push(items.length);
        const result = await answer(items);
        finished.push(...items.slice(0, result.finished).map(numberOf));
        return result;
      },
    };
    const reader = new StreamReader(store, { platform: clock, firstDelay: 10, retries: 1, aggregates });
    const poll = (options = {}) => reader.poll("t", "thread", [handler], options);
    return { clock, store, reader, poll, finished, sizes };
  }

  const all: Answer = (items) => ({ finished: items.length });
  const upTo = (count: number) => Array.from({ length: count }, (_, number) => number);

  it("gets at most 100 events at once, across commits", async () => {
    const { poll, finished, sizes } = await stage(5, 50, all);
    expect(await poll()).to.include({ status: "progressed", handled: 250, more: false });
    expect([sizes, finished]).to.deep.equal([[100, 100, 50], upTo(250)]);
  });

  it("gets the rest at once when it finished a part and said nothing", async () => {
    const { poll, finished, sizes } = await stage(2, 5, () => ({ finished: 4 }));
    const { handled, blocked } = await poll();
    // The last two are fewer than the four that it claims to have finished: that is an error of its own.
    expect([sizes, finished.slice(0, 8), handled]).to.deep.equal([[10, 6, 2], upTo(8), 8]);
    expect(blocked[0]).to.include({ attempts: 1, index: 3 });
  });

  it("fails at an event as any handler does: attempts are counted, and after the last it halts", async () => {
    const { clock, poll } = await stage(1, 3, (items) => {
      const place = items.findIndex((item) => numberOf(item) === 1);
      return { finished: place, error: new Error("no") };
    });
    const first = await poll();
    expect(first.handled).to.equal(1);
    expect(first.blocked[0]).to.include({ index: 1, attempts: 1, halted: false, error: "Error: no" });
    clock.turn(1_000);
    expect((await poll()).blocked[0]).to.include({ index: 1, attempts: 2, halted: true });
  });

  it("keeps its attempts when it has to wait between them, and is not tried before its time", async () => {
    let answer: Answer = () => ({ finished: 0, error: new Error("no") });
    const { clock, poll, sizes } = await stage(1, 1, (items) => answer(items));
    expect((await poll()).blocked[0]).to.include({ attempts: 1 });
    clock.turn(1_000);
    const retryAt = clock.now() + 60_000;
    answer = () => ({ finished: 0, retryAt });
    const waiting = await poll();
    expect(waiting).to.include({ status: "blocked", retryAt });
    expect(waiting.blocked[0]).to.include({ attempts: 1, halted: false, error: "the handler asked to wait" });
    expect((await poll()).status).to.equal("blocked");
    expect(sizes).to.have.length(2);
    clock.turn(60_000);
    answer = () => ({ finished: 0, error: new Error("no") });
    expect((await poll()).blocked[0]).to.include({ attempts: 2, halted: true });
  });

  it("goes on behind a parked event, which stays parked", async () => {
    const { clock, reader, poll, finished, sizes } = await stage(2, 3, (items) => {
      const place = items.findIndex((item) => numberOf(item) === 2);
      return place < 0 ? { finished: items.length } : { finished: place, error: new Error("poison") };
    });
    let result = await poll({ onError: "park" });
    while (result.retryAt !== undefined) {
      clock.turn(1_000);
      result = await poll({ onError: "park" });
    }
    expect(finished).to.deep.equal([0, 1, 3, 4, 5]);
    expect(sizes.at(-1)).to.equal(3);
    expect((await reader.parked("t", "thread")).parked.map(({ index }) => index)).to.deep.equal([2]);
    expect(await poll()).to.include({ status: "idle", handled: 0 });
  });

  it("is told an error for an answer that claims nothing, too much or half an event, and for one that it throws", async () => {
    for (const [answer, error] of [
      [() => ({ finished: 0 }), /finished/],
      [() => ({ finished: 9 }), /finished/],
      [() => ({ finished: 0.5 }), /finished/],
      [() => ({ finished: 0, retryAt: Number.NaN }), /retryAt/],
      [() => ({ finished: 0, retryAt: Number.POSITIVE_INFINITY }), /retryAt/],
      [() => Promise.reject(new Error("thrown")), /^Error: thrown$/],
    ] as const) {
      const { poll } = await stage(1, 2, answer);
      const { handled, blocked } = await poll();
      expect(handled).to.equal(0);
      expect(blocked[0]?.attempts).to.equal(1);
      expect(blocked[0]?.error).to.match(error);
    }
  });

  it("gets what stands before an event that cannot be lifted to its newest shape", async () => {
    class Lifted extends Parcel {
      static readonly upcasters = {
        Packed: [
          (payload: { number: number }) => {
            if (payload.number === 2) throw new Error("cannot lift 2");
            return payload;
          },
        ],
      };
    }
    const { poll, finished } = await stage(1, 4, all, [Lifted]);
    const { blocked } = await poll();
    expect(finished).to.deep.equal([0, 1]);
    expect(blocked[0]).to.include({ index: 2, attempts: 1 });
  });

  it("stops between batches when the signal aborts, and what is finished is stored", async () => {
    const stopping = new AbortController();
    const { poll, finished } = await stage(4, 50, (items) => {
      stopping.abort();
      return { finished: items.length };
    });
    await poll({ signal: stopping.signal });
    expect(finished).to.have.length(100);
    await poll();
    expect(finished).to.deep.equal(upTo(200));
  });
});
