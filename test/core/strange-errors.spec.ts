import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { StreamReader } from "../../core/index.ts";
import { tellerOf, walletsOn } from "../contract/wallet.ts";
import { TurnedClock } from "../support/turned-clock.ts";

/** What no text can be made of, or what is no error at all. */
const THROWN: Readonly<Record<string, unknown>> = {
  "an object without a prototype": Object.create(null),
  "an error whose message is a symbol": Object.assign(new Error("plain"), { message: Symbol("odd") }),
  "an error whose message cannot be read": Object.defineProperty(new Error("plain"), "message", {
    get: () => {
      throw new TypeError("no message");
    },
  }),
  "an error whose stack is no text": Object.assign(new Error("plain"), { stack: 7 }),
  nothing: undefined,
  "a symbol": Symbol("odd"),
};

describe("A handler that throws", () => {
  for (const [what, error] of Object.entries(THROWN)) {
    for (const way of ["event", "batch"]) {
      it(`${what} (${way}) is blocked like any other, and its poll is none the worse`, async () => {
        const [store, clock] = [new MemoryEventStore(), new TurnedClock()];
        await walletsOn({ store, clock }).command(tellerOf("t"), "Deposit", { aggregateId: "a", amount: 1 });
        const events = { Paid: () => Promise.reject(error) };
        const batch = { batch: async () => (error === undefined ? Promise.reject(error) : { finished: 0, error }) };
        const reader = new StreamReader(store, { platform: clock, retries: 1, firstDelay: 1, onError: "park" });
        const poll = () => reader.poll("t", "main", [{ name: "Odd", events, ...(way === "batch" && batch) }]);
        const { blocked } = await poll();
        expect(blocked[0]).to.include({ handler: "Odd", attempts: 1, halted: false });
        clock.turn(10);
        await poll();
        const [parked] = (await reader.parked("t", "main")).parked;
        expect(parked?.error).to.be.a("string").that.is.not.equal("");
      });
    }
  }
});
