import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { StoreError } from "../../core/index.ts";
import { Follower } from "../../functions/event-stream-follow.ts";
import { HandClock } from "../support/hand-clock.ts";

describe("a stream's follower whose store fails", () => {
  it("asks ever less often, and logs when the outage begins and when it is over", async () => {
    const clock = new HandClock();
    const follower = new Follower(clock);
    const lines: string[] = [];
    let looks = 0;
    const look = async () => {
      if (++looks <= 12) throw new StoreError("the store is away", { retryable: true });
      follower.stop();
      return "moved" as const;
    };
    await follower.follow(new MemoryEventStore(), "acme", look, (severity, message, facts) =>
      lines.push(`${severity} ${message} ${facts?.tenant}`),
    );
    expect(clock.slept.slice(0, 12)).to.deep.equal([125, 250, 500, 1_000, 2_000, ...Array<number>(7).fill(2_500)]);
    expect(lines).to.deep.equal([
      "WARNING a stream's look at the store failed: it looks again, ever less often acme",
      "INFO a stream's look at the store succeeds again acme",
    ]);
  });
});
