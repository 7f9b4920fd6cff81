import { expect } from "chai";
import { Err } from "../../core/index.ts";
import { type BreakerChange, type BreakerOptions, CircuitBreaker } from "../../core/publish/circuit-breaker.ts";
import { HandClock } from "../support/hand-clock.ts";
import { thrown } from "../support/thrown.ts";

const OPTIONS = { failures: 3, firstDelay: 100, longestDelay: 1_000 };

describe("A circuit breaker", () => {
  function made(options: BreakerOptions = OPTIONS) {
    const clock = new HandClock();
    const changes: BreakerChange[] = [];
    const breaker = new CircuitBreaker(clock, options, (change) => changes.push(change));
    const fail = () => breaker.fail(new Error("down")) - clock.time;
    return { clock, changes, breaker, fail, states: () => changes.map(({ state }) => state) };
  }

  it("lets calls through while they succeed, and says nothing", () => {
    const { breaker, changes } = made();
    for (let call = 0; call < 10; call++) {
      expect(breaker.enter()).to.equal(undefined);
      breaker.succeed();
    }
    expect(changes).to.deep.equal([]);
  });

  it("opens at the third failure in a row, not before, and forgets failures at a success", () => {
    const { breaker, fail, states } = made();
    fail();
    fail();
    breaker.succeed();
    fail();
    fail();
    expect(states()).to.deep.equal([]);
    expect(breaker.enter()).to.equal(undefined);
    fail();
    expect(states()).to.deep.equal(["open"]);
    expect(breaker.enter()).to.be.a("number");
  });

  // [what random gives, the waits after each failure in a row]: half of the delay is fixed, the delay doubles and is capped.
  for (const [chance, waits] of [
    [0, [50, 100, 200, 400, 500, 500]],
    [0.5, [75, 150, 300, 600, 750, 750]],
    [0.999_999, [100, 200, 400, 800, 1_000, 1_000]],
  ] as const) {
    it(`waits ${waits.join(", ")} ms where chance is ${chance}`, () => {
      const { clock, breaker, fail } = made();
      clock.chance = chance;
      const seen = waits.map(() => {
        expect(breaker.enter()).to.equal(undefined);
        const wait = fail();
        clock.time += wait;
        return wait;
      });
      expect(seen).to.deep.equal(waits);
    });
  }

  it("is half-open once its time has come: one call goes through, the others wait for what becomes of it", () => {
    const { clock, breaker, fail, changes, states } = made();
    for (let failure = 0; failure < 3; failure++) fail();
    const retryAt = changes[0]?.retryAt ?? 0;
    clock.time = retryAt - 1;
    expect(breaker.enter()).to.be.within(retryAt, retryAt + 100);
    clock.time = retryAt;
    expect(breaker.enter()).to.equal(undefined);
    expect(breaker.enter()).to.be.within(clock.time + 100, clock.time + 200);
    expect(states()).to.deep.equal(["open", "half-open"]);
    breaker.succeed();
    expect(breaker.enter()).to.equal(undefined);
    expect(states()).to.deep.equal(["open", "half-open", "closed"]);
    expect(changes.map(({ failures, error }) => [failures, (error as Error | undefined)?.message])).to.deep.equal([
      [3, "down"],
      [3, "down"],
      [0, undefined],
    ]);
  });

  it("lets another call through after the longest delay, where nobody told how that one ended", () => {
    const { clock, breaker, fail, states } = made();
    for (let failure = 0; failure < 3; failure++) clock.time += fail();
    expect(breaker.enter()).to.equal(undefined);
    clock.time += 999;
    expect(breaker.enter()).to.be.within(clock.time + 100, clock.time + 200);
    clock.time += 1;
    expect(breaker.enter()).to.equal(undefined);
    expect(breaker.enter()).to.be.a("number");
    breaker.succeed();
    expect(states()).to.deep.equal(["open", "half-open", "closed"]);
  });

  it("opens again, for longer, when that call fails", () => {
    const { clock, breaker, fail, states } = made();
    let wait = 0;
    for (let failure = 0; failure < 3; failure++) wait = fail();
    clock.time += wait;
    breaker.enter();
    expect(fail()).to.equal(600);
    expect(states()).to.deep.equal(["open", "half-open", "open"]);
    expect(breaker.enter()).to.be.a("number");
  });

  it("is not impressed by failures of calls that began before it opened", () => {
    const { fail, states, breaker } = made();
    for (let failure = 0; failure < 3; failure++) fail();
    const before = breaker.failures;
    fail();
    expect([states(), breaker.failures]).to.deep.equal([["open"], before]);
  });

  it("refuses options that make no sense", () => {
    for (const name of ["failures", "firstDelay", "longestDelay"]) {
      expect(thrown(Err, () => made({ [name]: 0 })).message).to.contain(name);
    }
  });
});
