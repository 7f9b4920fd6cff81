import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, Err, type FailurePolicy, StreamReader } from "../../core/index.ts";
import { Account } from "../../examples/bank-account/index.ts";
import { actorOf } from "../support/actors.ts";
import { HandClock } from "../support/hand-clock.ts";
import { thrown } from "../support/thrown.ts";

interface Case {
  readonly title: string;
  readonly policy: FailurePolicy;
  /** What `random` gives: 0 is the shortest delay, almost 1 the longest. */
  readonly chance: number;
  /** How often the handler fails before it works; Infinity = always. */
  readonly failures: number;
  /** How long the handler waits after each failure, in ms, as long as it is tried again. */
  readonly delays: readonly number[];
  /** How it ends. */
  readonly ends: "done" | "halted" | "parked";
}

/** Delays double from the first one to the longest; half of each is fixed, half is random. */
const CASES: readonly Case[] = [
  {
    title: "works at once: no delay at all",
    policy: {},
    chance: 0.5,
    failures: 0,
    delays: [],
    ends: "done",
  },
  {
    title: "fails once",
    policy: { firstDelay: 100 },
    chance: 0,
    failures: 1,
    delays: [50],
    ends: "done",
  },
  {
    title: "fails with the shortest jitter: half of each delay",
    policy: { retries: 5, firstDelay: 100 },
    chance: 0,
    failures: 5,
    delays: [50, 100, 200, 400, 800],
    ends: "done",
  },
  {
    title: "fails with the longest jitter: the whole of each delay",
    policy: { retries: 5, firstDelay: 100 },
    chance: 1,
    failures: 5,
    delays: [100, 200, 400, 800, 1_600],
    ends: "done",
  },
  {
    title: "fails with a jitter in the middle",
    policy: { retries: 3, firstDelay: 100 },
    chance: 0.5,
    failures: 3,
    delays: [75, 150, 300],
    ends: "done",
  },
  {
    title: "fails until the delays reach their cap",
    policy: { retries: 6, firstDelay: 1_000, longestDelay: 3_000 },
    chance: 1,
    failures: 6,
    delays: [1_000, 2_000, 3_000, 3_000, 3_000, 3_000],
    ends: "done",
  },
  {
    title: "fails for ever, with the defaults: eight retries, then it halts",
    policy: {},
    chance: 1,
    failures: Number.POSITIVE_INFINITY,
    delays: [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000],
    ends: "halted",
  },
  {
    title: "fails for ever without retries: it halts at once",
    policy: { retries: 0 },
    chance: 1,
    failures: Number.POSITIVE_INFINITY,
    delays: [],
    ends: "halted",
  },
  {
    title: "fails for ever and parks",
    policy: { retries: 2, firstDelay: 10, onError: "park" },
    chance: 1,
    failures: Number.POSITIVE_INFINITY,
    delays: [10, 20],
    ends: "parked",
  },
  {
    title: "fails for ever without retries and parks: the handler never stands still",
    policy: { retries: 0, onError: "park", park: "aggregate" },
    chance: 1,
    failures: Number.POSITIVE_INFINITY,
    delays: [],
    ends: "parked",
  },
  {
    title: "never waits longer than five minutes, unless told",
    policy: { retries: 3, firstDelay: 200_000 },
    chance: 1,
    failures: 3,
    delays: [200_000, 300_000, 300_000],
    ends: "done",
  },
];

describe("A handler under the failure policy", () => {
  for (const { title, policy, chance, failures, delays, ends } of CASES) {
    it(title, async () => {
      const clock = new HandClock();
      clock.chance = chance;
      const store = new MemoryEventStore({ now: () => clock.now() });
      await new CommandHandler(store, [Account], { platform: clock }).command(actorOf("t"), "OpenAccount", {
        owner: "ada",
        aggregateId: "a",
      });
      let tries = 0;
      const handler = {
        name: "Handler",
        events: {
          AccountOpened: () => {
            if (tries++ < failures) throw new Error(`failure ${tries}`);
          },
        },
      };
      const reader = new StreamReader(store, { platform: clock, ...policy });
      // Another reader each time, as in another process: what it knows of failures is what is stored.
      const poll = () => new StreamReader(store, { platform: clock, ...policy }).poll("t", "main", [handler]);
      let result = await poll();
      for (const [index, delay] of delays.entries()) {
        expect(result.retryAt! - clock.time, `delay ${index + 1}`).to.equal(delay);
        expect(result.blocked[0]).to.include({ attempts: index + 1, halted: false, error: `Error: failure ${index + 1}` });
        // One millisecond early, nothing is tried.
        clock.time = result.retryAt! - 1;
        expect((await poll()).status).to.equal("blocked");
        expect(tries).to.equal(index + 1);
        clock.time += 1;
        result = await poll();
      }
      expect(tries).to.equal(Math.min(failures, delays.length) + 1);
      expect(result.retryAt).to.equal(undefined);
      const { parked } = await reader.parked("t", "main");
      if (ends === "halted") {
        expect(result.blocked[0]).to.include({ halted: true, attempts: delays.length + 1 });
        // Not even a year later; only an operator's move sets it going.
        clock.time += 365 * 24 * 3_600_000;
        expect((await poll()).status).to.equal("blocked");
        await reader.resume("t", "main", "Handler");
        await poll();
        expect(tries).to.equal(delays.length + 2);
        await reader.skip("t", "main", "Handler", "it never works");
        expect((await poll()).cursors).to.deep.equal({ Handler: 1 });
        expect((await reader.parked("t", "main")).parked[0]).to.include({ reason: "it never works" });
      } else {
        expect(result).to.deep.include({ cursors: { Handler: 1 }, blocked: [] });
        expect(parked.map(({ attempts }) => attempts)).to.deep.equal(ends === "parked" ? [delays.length + 1] : []);
      }
    });
  }

  it("is refused what is no policy, before anything is read", () => {
    for (const [policy, field] of [
      [{ retries: -1 }, /retries/],
      [{ retries: 1.5 }, /retries/],
      [{ firstDelay: 0 }, /firstDelay/],
      [{ longestDelay: Number.NaN }, /longestDelay/],
      [{ onError: "stop" }, /onError/],
      [{ park: "tenant" }, /park/],
    ] as const) {
      const error = thrown(Err, () => new StreamReader(new MemoryEventStore(), policy as FailurePolicy));
      expect(error.code).to.equal("invalid_argument");
      expect(error.message).to.match(field);
    }
  });
});
