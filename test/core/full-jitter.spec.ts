import { expect } from "chai";
import { fullJitter } from "../../core/store-kit.ts";

describe("the wait before another try", () => {
  const longestAt = (tries: number) => fullJitter(tries, 10, 800, () => 1);

  it("is twice as long at most with each try, and never longer than the longest, however many tries", () => {
    expect([0, 1, 2, 6, 7, 50, 5_000].map(longestAt)).to.deep.equal([10, 20, 40, 640, 800, 800, 800]);
  });

  it("may be as short as chance has it, so that contenders part", () => {
    expect([0, 7].map((tries) => fullJitter(tries, 10, 800, () => 0))).to.deep.equal([0, 0]);
    expect(fullJitter(3, 10, 800, () => 0.5)).to.equal(40);
  });
});
