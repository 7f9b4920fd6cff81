import { expect } from "chai";
import { type Client, ClientError, type Clock, createClient } from "../../functions/client/index.ts";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import type { Aggregates, Projections } from "../support/functions-client-types.ts";
import { rejects } from "../support/rejects.ts";

type Fetch = typeof globalThis.fetch;

/** A clock that sleeps at once, and notes how long it should have. */
class NotingClock implements Clock {
  readonly slept: number[] = [];
  chance = 0.5;
  #now = 0;
  now(): number {
    return this.#now;
  }
  random(): number {
    return this.chance;
  }
  async sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    this.#now += ms;
  }
}

const ADD = { aggregateId: "calc1", number1: 1, number2: 2 };
const problem =
  (status: number, code: string, headers: Readonly<Record<string, string>> = {}, facts: object = {}) =>
  () =>
    new Response(JSON.stringify({ title: "…", status, detail: `because of ${code}`, code, ...facts }), { status, headers });
const lost = () => {
  throw new TypeError("fetch failed");
};

describe("The client", () => {
  let backend: Backend;
  let client: Client<Aggregates, Projections>;
  let clock: NotingClock;
  /** The keys of the commands that were sent. */
  let keys: (string | null)[];

  /** A client whose first requests meet these answers in place of the server's. */
  const meeting = (...answers: readonly (() => Response)[]) => {
    let sent = 0;
    const intercepted: Fetch = async (input, init) => {
      keys.push(new Headers(init?.headers).get("idempotency-key"));
      const answer = answers[sent++];
      return answer === undefined ? fetch(input, init) : answer();
    };
    return createClient<Aggregates, Projections>({ url: backend.url, token: () => tokenOf(), fetch: intercepted, clock });
  };

  before(async () => {
    backend = await startBackend();
  });
  after(() => backend.close());
  beforeEach(() => {
    clock = new NotingClock();
    keys = [];
    client = meeting();
  });

  it("sends commands and reads what became of them", async () => {
    const answer = await client.command("AddNumbers", { aggregateId: "all", number1: 1, number2: 2 });
    expect(answer).to.deep.include({ aggregateId: "all", version: 0, replayed: false, state: { sum: 3 } });
    const next = await client.command("AddNumbers", { aggregateId: "all", number1: 1, number2: 2 }, { expectedVersion: 0 });
    expect(next.version).to.equal(1);
    expect(await client.aggregate("/summing-calculators", "all")).to.deep.equal({
      aggregateId: "all",
      version: 1,
      state: { sum: 6 },
    });
    expect((await client.aggregate("/summing-calculators", "all", { version: 0 }))?.state).to.deep.equal({ sum: 3 });
    expect((await client.history("/summing-calculators", "all", { limit: 1 })).next).to.equal(0);
    expect(
      (await client.history("/summing-calculators", "all", { after: 0 })).commits.map(({ version }) => version),
    ).to.deep.equal([1]);
    const totals = client.views("totals");
    expect(await totals.get("all", { position: next.position })).to.deep.equal({ sum: 6, steps: 2 });
    const page = await totals.list({ limit: 1, position: next.position });
    expect(page.views).to.deep.equal([{ id: "all", value: { sum: 6, steps: 2 } }]);
  });

  it("reads the tenant's log where its actor may", async () => {
    const auditor = createClient({ url: `${backend.url}/`, token: () => tokenOf({ roles: ["auditor"] }) });
    const { commits, next } = await auditor.events({ limit: 1 });
    expect(commits.length).to.equal(1);
    expect((await auditor.events({ after: next })).next).to.be.least(next);
    expect((await rejects(ClientError, client.events())).code).to.equal("authorization");
  });

  it("takes every id, also those that a path cannot carry", async () => {
    for (const id of ["..", ".", "events", "a/b", "a b&c=d?#", "é%"]) {
      await client.command("AddNumbers", { aggregateId: id, number1: 1, number2: 2 });
      expect((await client.aggregate("/summing-calculators", id))?.aggregateId).to.equal(id);
      expect((await client.history("/summing-calculators", id)).commits.length).to.equal(1);
    }
  });

  it("answers undefined for what is not there", async () => {
    expect(await client.aggregate("/summing-calculators", "none")).to.equal(undefined);
    expect(await client.aggregate("/summing-calculators", "all", { version: 99 })).to.equal(undefined);
    expect(await client.views("totals").get("none")).to.equal(undefined);
    expect(await client.history("/summing-calculators", "none")).to.deep.equal({ commits: [] });
  });

  it("turns problems into errors with code, status, facts and the commandId", async () => {
    await client.command("AddNumbers", ADD);
    const error = await rejects(ClientError, client.command("AddNumbers", ADD, { expectedVersion: 7, commandId: "mine" }));
    expect(error).to.include({ code: "concurrency", status: 409, commandId: "mine" });
    expect(error.facts).to.deep.equal({ aggregateType: "summing-calculators", aggregateId: "calc1", expected: 7, actual: 0 });
    expect(error.message).to.match(/version 0, not at the expected 7/);
    expect(keys.length, "it is not sent again").to.equal(2);
  });

  describe("sends again", () => {
    it("with the same commandId where the answer was lost, so that the effect is one", async () => {
      const losing: Fetch = async (input, init) => {
        keys.push(new Headers(init?.headers).get("idempotency-key"));
        const answer = await fetch(input, init);
        return keys.length < 3 ? lost() : answer;
      };
      const once = createClient<Aggregates>({ url: backend.url, token: () => tokenOf(), fetch: losing, clock });
      const answer = await once.command("AddNumbers", { aggregateId: "lost", number1: 1, number2: 2 });
      expect(answer).to.deep.include({ version: 0, replayed: true, state: { sum: 3 } });
      expect(keys.length).to.equal(3);
      expect(new Set(keys).size).to.equal(1);
      expect(keys[0]).to.match(/^[0-9a-f]{32}$/);
      expect((await once.history("/summing-calculators", "lost")).commits.length).to.equal(1);
    });

    it("another command with another id", async () => {
      await client.command("AddNumbers", { number1: 1, number2: 2 });
      await client.command("AddNumbers", { number1: 1, number2: 2 });
      expect(new Set(keys).size).to.equal(2);
    });

    for (const [title, answer] of [
      ["a network error", lost],
      ["503", problem(503, "stopping")],
      ["503 of a store that asks for it", problem(503, "store", {}, { retryable: true, outcome: "unknown" })],
      ["429", problem(429, "rate_limited")],
      ["502 of a proxy", () => new Response("<html>Bad Gateway</html>", { status: 502 })],
      ["504 of a proxy", () => new Response("", { status: 504 })],
    ] as const) {
      it(`after ${title}`, async () => {
        const { aggregateId } = await meeting(answer).command("AddNumbers", { number1: 1, number2: 2 });
        expect(aggregateId).to.be.a("string");
        expect(keys.length).to.equal(2);
      });
    }

    for (const [title, answer, code] of [
      ["400", problem(400, "validation"), "validation"],
      ["401", problem(401, "unauthenticated"), "unauthenticated"],
      ["409", problem(409, "concurrency"), "concurrency"],
      ["422", problem(422, "precondition"), "precondition"],
      ["500", problem(500, "internal"), "internal"],
      ["503 of a store that says it is of no use", problem(503, "store", {}, { retryable: false }), "store"],
      ["an answer that is not Evenant's", () => new Response("<html>", { status: 200 }), "unexpected"],
      ["a 404 of another server", () => new Response("{}", { status: 404 }), "unexpected"],
    ] as const) {
      it(`not after ${title}`, async () => {
        const error = await rejects(ClientError, meeting(answer).command("AddNumbers", ADD));
        expect(error.code).to.equal(code);
        expect(error.commandId).to.equal(keys[0]);
        expect(keys.length).to.equal(1);
      });
    }

    it("five times at most, with pauses that double and are jittered, and then gives the last error", async () => {
      const down = Array.from({ length: 9 }, () => problem(503, "stopping"));
      for (const [chance, pauses] of [
        [0, [0, 0, 0, 0]],
        [0.5, [100, 200, 400, 800]],
        [0.999, [199.8, 399.6, 799.2, 1598.4]],
      ] as const) {
        clock = new NotingClock();
        clock.chance = chance;
        expect((await rejects(ClientError, meeting(...down).command("AddNumbers", ADD))).code).to.equal("stopping");
        expect(clock.slept).to.deep.equal(pauses);
      }
      expect(keys.length).to.equal(15);
    });

    it("as often as it is told: once, for a queue that has its own pauses", async () => {
      const error = await rejects(ClientError, meeting(lost).command("AddNumbers", ADD, { attempts: 1, commandId: "queued-1" }));
      expect(error).to.include({ code: "network", status: 0, commandId: "queued-1", isRetryable: true });
      expect(error.cause).to.be.instanceOf(TypeError);
      expect(keys).to.deep.equal(["queued-1"]);
    });

    it("not before the time that the server names", async () => {
      await meeting(problem(429, "rate_limited", { "retry-after": "7" })).command("AddNumbers", { number1: 1, number2: 2 });
      expect(clock.slept).to.deep.equal([7_100]);
    });

    it("not where that would pass the deadline", async () => {
      const slow = meeting(problem(429, "rate_limited", { "retry-after": "60" }));
      const error = await rejects(ClientError, slow.command("AddNumbers", ADD));
      expect(error).to.include({ code: "rate_limited", retryAfter: 60_000 });
      expect(clock.slept).to.deep.equal([]);
    });

    it("with a fresh token each time", async () => {
      let tokens = 0;
      const fresh = createClient<Aggregates>({
        url: backend.url,
        token: () => tokenOf({ name: `token ${++tokens}` }),
        fetch: async (input, init) => (tokens === 1 ? lost() : fetch(input, init)),
        clock,
      });
      await fresh.command("AddNumbers", { number1: 1, number2: 2 });
      expect(tokens).to.equal(2);
    });
  });

  it("gives up a request that is not answered in time", async () => {
    const hanging: Fetch = (_input, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
    const patient = createClient<Aggregates>({ url: backend.url, token: () => "t", fetch: hanging, deadline: 20, attempts: 1 });
    expect((await rejects(ClientError, patient.command("AddNumbers", ADD))).code).to.equal("network");
  });

  it("stops at once when its signal aborts, while it waits and while it sends, and does not send again", async () => {
    const aborted = new AbortController();
    aborted.abort(new Error("never mind"));
    expect((await rejects(Error, client.command("AddNumbers", ADD, { signal: aborted.signal }))).message).to.equal("never mind");
    expect(keys).to.deep.equal([]);

    const waiting = new AbortController();
    clock.sleep = async () => waiting.abort(new Error("enough"));
    const slow = meeting(problem(503, "stopping"), problem(503, "stopping"));
    expect((await rejects(Error, slow.command("AddNumbers", ADD, { signal: waiting.signal }))).message).to.equal("enough");
    expect(keys.length).to.equal(1);
  });

  it("gives the error of a token that cannot be had as it is", async () => {
    const signedOut = createClient({ url: backend.url, token: () => Promise.reject(new Error("signed out")) });
    expect((await rejects(Error, signedOut.events())).message).to.equal("signed out");
  });
});
