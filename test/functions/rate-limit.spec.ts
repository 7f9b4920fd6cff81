import { expect } from "chai";
import { Actor } from "../../core/index.ts";
import { RateLimiter, type RateLimits } from "../../functions/rate-limit.ts";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import { seededRandom } from "../support/seeded-random.ts";

const LIMITS: RateLimits = { tenant: { rate: 8, burst: 16 }, actor: { rate: 2, burst: 4 } };
const actor = (id: string, tenant = "acme") => new Actor({ id, tenant, roles: [] });

/** A limiter with a clock that is turned by hand. */
function limiter(limits: RateLimits = LIMITS) {
  let now = 0;
  const limiter = new RateLimiter(limits, () => now);
  const attempt = (id: string, tenant?: string): { seconds: number; limit: string } | undefined => {
    try {
      limiter.admit(actor(id, tenant));
      return undefined;
    } catch (error) {
      const { code, headers, facts } = error as { code: string; headers: Record<string, string>; facts: { limit: string } };
      expect(code).to.equal("rate_limited");
      return { seconds: Number(headers["retry-after"]), limit: facts.limit };
    }
  };
  return {
    attempt,
    /** How many of so many attempts are let through. */
    passed: (count: number, id: string, tenant?: string) =>
      Array.from({ length: count }, () => attempt(id, tenant)).filter((refusal) => refusal === undefined).length,
    turn: (ms: number) => {
      now += ms;
    },
  };
}

describe("The rate limit", () => {
  it("lets an actor's burst through, then its rate", () => {
    const { passed, turn, attempt } = limiter();
    expect(passed(10, "ada")).to.equal(4);
    turn(1_000);
    expect(passed(10, "ada")).to.equal(2);
    turn(250);
    expect(attempt("ada")).to.deep.equal({ seconds: 1, limit: "actor" });
    turn(250);
    expect(passed(10, "ada")).to.equal(1);
    turn(3_600_000);
    expect(passed(10, "ada"), "no more than the burst, however long it waits").to.equal(4);
  });

  it("says how long to wait, and then lets through", () => {
    const { passed, turn, attempt } = limiter({ tenant: { rate: 1, burst: 2 }, actor: { rate: 0.1, burst: 1 } });
    expect(passed(2, "ada")).to.equal(1);
    expect(attempt("ada")).to.deep.equal({ seconds: 10, limit: "actor" });
    turn(4_000);
    expect(attempt("ada")).to.deep.equal({ seconds: 6, limit: "actor" });
    turn(6_000);
    expect(attempt("ada")).to.equal(undefined);
  });

  it("holds a tenant's actors to the tenant's own rate", () => {
    const { passed, attempt } = limiter();
    const all = ["a", "b", "c", "d", "e", "f"].map((id) => passed(10, id));
    expect(all).to.deep.equal([4, 4, 4, 4, 0, 0]);
    expect(attempt("g")).to.deep.equal({ seconds: 1, limit: "tenant" });
  });

  it("takes nothing from the tenant for requests that it refuses an actor", () => {
    const { passed } = limiter();
    expect(passed(1_000, "noisy")).to.equal(4);
    expect(["a", "b", "c"].map((id) => passed(4, id))).to.deep.equal([4, 4, 4]);
  });

  it("keeps tenants and their actors of the same name apart", () => {
    const { passed } = limiter();
    for (const tenant of ["one", "two", "three"]) expect(passed(100, "ada", tenant), tenant).to.equal(4);
  });

  it("does not let one actor starve the others, whatever it sends", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const random = seededRandom(seed);
      const { passed, turn } = limiter();
      let others = 0;
      for (let second = 0; second < 20; second++) {
        for (let tick = 0; tick < 10; tick++) {
          passed(5 + random.below(10), "noisy");
          // Each of three others sends once a second, at any moment.
          if (tick < 3) others += passed(1, `quiet${tick}`);
          turn(100);
        }
      }
      expect(others, `seed ${seed}`).to.equal(60);
    }
  });

  it("remembers no more tenants and actors than it is told, and forgets first whom it has not seen longest", () => {
    const { passed, attempt } = limiter({ ...LIMITS, remembered: 3 });
    passed(10, "a");
    passed(10, "b");
    passed(10, "c");
    expect(attempt("a")).not.to.equal(undefined);
    passed(1, "d", "other");
    expect(attempt("a"), "seen again meanwhile").not.to.equal(undefined);
    expect(attempt("b"), "forgotten").to.equal(undefined);
  });

  for (const limits of [
    { tenant: { rate: 0, burst: 10 }, actor: { rate: 1, burst: 1 } },
    { tenant: { rate: Number.NaN, burst: 10 }, actor: { rate: 1, burst: 1 } },
    { tenant: { rate: 10, burst: 10 }, actor: { rate: 1, burst: 0.5 } },
    { tenant: { rate: 10, burst: 10 }, actor: { rate: 6, burst: 1 } },
    { tenant: { rate: 10, burst: 10 }, actor: { rate: 1, burst: 6 } },
    { tenant: { rate: 10, burst: 10 }, actor: { rate: 1, burst: 1 }, remembered: 0 },
  ]) {
    it(`refuses ${JSON.stringify(limits)}`, () => {
      expect(() => new RateLimiter(limits, () => 0)).to.throw(/rateLimits\.(tenant|actor|remembered)/);
    });
  }

  describe("over HTTP", () => {
    let backend: Backend;
    const rateLimits: RateLimits = { tenant: { rate: 0.01, burst: 4 }, actor: { rate: 0.001, burst: 2 } };
    beforeEach(async () => {
      backend = await startBackend({ rateLimits });
    });
    afterEach(() => backend.close());

    it("answers 429 with Retry-After, to each route alike, and does nothing for the request", async () => {
      const add = { aggregateId: "calc1", number1: 1, number2: 2 };
      expect((await backend.command("AddNumbers", add)).status).to.equal(200);
      expect((await backend.send("/views/totals")).status).to.equal(200);
      const before = await backend.written();
      const { store } = backend;
      let calls = 0;
      for (const method of ["load", "commit", "views"] as const) {
        const original = store[method].bind(store) as (...args: unknown[]) => unknown;
        (store as unknown as Record<string, unknown>)[method] = (...args: unknown[]) => {
          calls++;
          return original(...args);
        };
      }
      for (const answer of [
        await backend.command("AddNumbers", add),
        await backend.send("/aggregates/summing-calculators/calc1"),
        await backend.send("/aggregates/summing-calculators/calc1/events"),
        await backend.send("/views/totals/calc1"),
        await backend.send("/events"),
      ]) {
        expect(answer.status).to.equal(429);
        expect(answer.headers.get("content-type")).to.equal("application/problem+json");
        expect(Number(answer.headers.get("retry-after"))).to.be.within(900, 1_000);
        expect(answer.body).to.include({ code: "rate_limited", status: 429, title: "Too Many Requests", limit: "actor" });
        expect(answer.body.detail).to.match(/wait \d+ s/);
      }
      expect(calls).to.equal(0);
      expect(await backend.written()).to.deep.equal(before);
    });

    it("leaves other actors, other tenants and the health check alone", async () => {
      for (let index = 0; index < 5; index++) await backend.send("/views/totals");
      expect((await backend.send("/views/totals")).status).to.equal(429);
      expect((await backend.send("/views/totals", { token: await tokenOf({ sub: "bob" }) })).status).to.equal(200);
      expect((await backend.send("/views/totals", { token: await tokenOf({ tenant: "twin" }) })).status).to.equal(200);
      for (let index = 0; index < 10; index++) expect((await backend.send("/healthz", { token: "" })).status).to.equal(200);
    });

    it("does not count who could not be told", async () => {
      for (let index = 0; index < 5; index++) await backend.send("/views/totals", { token: "nonsense" });
      expect((await backend.send("/views/totals")).status).to.equal(200);
    });
  });
});
