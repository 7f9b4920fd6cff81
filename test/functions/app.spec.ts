import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Aggregate, type CommandContext, Err, StoreError, TenantError } from "../../core/index.ts";
import { SummingCalculator, Totals } from "../../examples/calculator/index.ts";
import type { Composition } from "../../functions/composition.ts";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";

const calculators: Composition = { aggregates: [SummingCalculator], threads: { calculators: [new Totals()] } };

describe("The application", () => {
  let backend: Backend;
  afterEach(() => backend.close());

  describe("on the example domains", () => {
    beforeEach(async () => {
      backend = await startBackend();
    });

    it("answers a command with what became of it", async () => {
      const first = await backend.command("AddNumbers", { aggregateId: "calc1", number1: 1, number2: 2 });
      expect(first.status).to.equal(200);
      expect(first.headers.get("cache-control")).to.equal("no-store");
      expect(first.body.commitId).to.match(/^[\w-]{21}$/);
      expect({ ...first.body, commitId: "" }).to.deep.equal({
        aggregateId: "calc1",
        version: 0,
        position: 1,
        commitId: "",
        replayed: false,
        events: [{ name: "NumbersAdded", payload: { number1: 1, number2: 2 }, schemaVersion: 0 }],
        state: { sum: 3 },
      });
      const second = await backend.command("SubtractNumbers", {
        aggregateId: "calc1",
        number1: 1,
        number2: 1,
        expectedVersion: 0,
      });
      expect(second.body).to.deep.include({ version: 1, position: 2, state: { sum: 1 } });
    });

    it("makes an id where the sender gives none", async () => {
      const { body } = await backend.command("AddNumbers", { number1: 1, number2: 2 });
      expect(body.aggregateId).to.match(/^[\w-]{21}$/);
      expect(body.version).to.equal(0);
    });

    it("replays a command that is sent again with its key, and writes nothing", async () => {
      const key = { "idempotency-key": "k-1", "x-correlation-id": "c-1" };
      const data = { aggregateId: "calc1", number1: 1, number2: 2, expectedVersion: -1 };
      const first = await backend.command("AddNumbers", data, key);
      await backend.command("AddNumbers", { aggregateId: "calc1", number1: 5, number2: 5 });
      const before = await backend.written();
      const again = await backend.command("AddNumbers", data, key);
      expect(again.body).to.deep.equal({ ...first.body, replayed: true });
      expect(await backend.written()).to.deep.equal(before);
      expect(before[0]![1][0]).to.include({ correlationId: "c-1" });
    });

    it("travels in time", async () => {
      for (const number1 of [1, 10, 100]) await backend.command("AddNumbers", { aggregateId: "calc1", number1, number2: 0 });
      const sums: number[] = [];
      for (const version of [0, 1, 2]) {
        const { body } = await backend.send(`/aggregates/summing-calculators/calc1?version=${version}`);
        expect(body.version).to.equal(version);
        sums.push(body.state.sum);
      }
      expect(sums).to.deep.equal([1, 11, 111]);
      expect((await backend.send("/aggregates/summing-calculators/calc1")).body.state.sum).to.equal(111);
    });

    it("pages through an aggregate's history", async () => {
      for (let number1 = 0; number1 < 5; number1++)
        await backend.command("AddNumbers", { aggregateId: "calc1", number1, number2: 0 });
      const versions: number[] = [];
      for (let after: number | undefined = -1; after !== undefined; ) {
        const { body } = await backend.send(`/aggregates/summing-calculators/calc1/events?after=${after}&limit=2`);
        versions.push(...body.commits.map(({ version }) => version));
        after = body.next;
      }
      expect(versions).to.deep.equal([0, 1, 2, 3, 4]);
      const { body } = await backend.send("/aggregates/summing-calculators/calc1/events");
      expect(body.commits[0]).to.include({ command: "AddNumbers", type: "summing-calculators", id: "calc1" });
      expect(body.commits[0]).not.to.have.any.keys("tenant", "receipt");
    });

    it("pages through the tenant's log, for auditors", async () => {
      for (const id of ["a", "b", "c"]) await backend.command("AddNumbers", { aggregateId: id, number1: 1, number2: 0 });
      const token = await tokenOf({ roles: ["auditor"] });
      const first = await backend.send("/events?limit=2", { token });
      expect(first.body.commits.map(({ id }) => id)).to.deep.equal(["a", "b"]);
      const second = await backend.send(`/events?after=${first.body.next}`, { token });
      expect(second.body.commits.map(({ id, position }) => [id, position])).to.deep.equal([["c", 3]]);
      expect((await backend.send(`/events?after=${second.body.next}`, { token })).body).to.deep.equal({ commits: [], next: 3 });
    });

    it("reads the sender's own write, and pages through views", async () => {
      let position = 0;
      for (const id of ["a", "b", "c"]) {
        position = (await backend.command("AddNumbers", { aggregateId: id, number1: 1, number2: 0 })).body.position;
        const own = await backend.send(`/views/totals/${id}?position=${position}`);
        expect(own.body).to.deep.equal({ id, value: { sum: 1, steps: 1 } });
      }
      const ids: string[] = [];
      for (let more = ""; ; ) {
        const { body } = await backend.send(`/views/totals?limit=2${more}`);
        ids.push(...body.views.map(({ id }) => id));
        if (body.next === undefined) break;
        more = `&after=${body.next}`;
      }
      expect(ids.sort()).to.deep.equal(["a", "b", "c"]);
    });

    it("says that it lives, to anybody; and answers HEAD", async () => {
      const health = await backend.send("/healthz", { token: "" });
      expect([health.status, health.body]).to.deep.equal([200, { status: "ok" }]);
      expect((await fetch(`${backend.url}/healthz`, { method: "HEAD" })).status).to.equal(200);
    });

    it("takes a command that the sender may send only by the state", async () => {
      await backend.command("CreateUser", { aggregateId: "ada", name: "Ada" });
      const post = await backend.command("CreatePost", { aggregateId: "p1", title: "Hello", body: "…" });
      expect(post.status).to.equal(200);
      const bob = await tokenOf({ sub: "bob" });
      const denied = await backend.command("ArchivePost", { aggregateId: "p1" }, {}, bob);
      expect(denied.status).to.equal(403);
      expect((await backend.command("ArchivePost", { aggregateId: "p1" })).status).to.equal(200);
      const again = await backend.command("ArchivePost", { aggregateId: "p1" });
      expect(again.body).to.deep.include({ version: 1, events: [], replayed: false });
    });

    it("logs each request by its route, with its facts", async () => {
      await backend.command("AddNumbers", { aggregateId: "secret-id", number1: 1, number2: 2 });
      await backend.send("/aggregates/summing-calculators/secret-id?version=9");
      const [command, read] = backend.lines;
      expect(command).to.include({
        message: "request",
        method: "POST",
        route: "/commands/AddNumbers",
        status: 200,
        tenant: "acme",
        actor: "ada",
      });
      expect(read).to.include({
        severity: "INFO",
        method: "GET",
        route: "/aggregates/:type/:id",
        status: 404,
        code: "not_found",
      });
      expect(JSON.stringify(backend.lines)).not.to.contain("secret-id");
    });
  });

  it("gives up waiting for a view that does not come, and says when to ask again", async () => {
    backend = await startBackend({ patience: 50 });
    const { status, headers, body } = await backend.send("/views/totals?position=1000000");
    expect(status).to.equal(503);
    expect(headers.get("retry-after")).to.equal("1");
    expect(body).to.include({ code: "behind", position: 1_000_000 });
  });

  it("lets nobody wait any more once it is stopping, and says so", async () => {
    const stopping = new AbortController();
    backend = await startBackend({ stopping: stopping.signal, patience: 60_000, deadline: 60_000 });
    const waiting = backend.send("/views/totals?position=1000000");
    await backend.send("/healthz");
    stopping.abort();
    expect((await waiting).body.code).to.equal("behind");
    const health = await backend.send("/healthz");
    expect([health.status, health.body.code]).to.deep.equal([503, "stopping"]);
  });

  it("answers in time when a command does not come back", async () => {
    class Stuck extends Aggregate {
      static readonly path = "/stuck";
      static readonly access = "tenant";
      get commands() {
        return { Hang: (_context: CommandContext<Stuck>) => new Promise<void>(() => {}) };
      }
      get events() {
        return { Never: () => {} };
      }
    }
    backend = await startBackend({ deadline: 50, composition: { ...calculators, aggregates: [Stuck] } });
    const { status, headers, body } = await backend.command("Hang", {});
    expect([status, body.code, headers.get("retry-after")]).to.deep.equal([503, "deadline", "1"]);
    expect(body.detail).to.contain("Idempotency-Key");
  });

  it("does not blame If-Match for a conflict on another aggregate", async () => {
    class Touchy extends Aggregate {
      static readonly path = "/touchy";
      static readonly access = "tenant";
      get commands() {
        return {
          Touch: ({ actor }: CommandContext<Touchy>) => {
            throw Err.concurrency({ tenant: actor.tenant, type: "touchy", id: "another" }, -1, 5);
          },
        };
      }
      get events() {
        return { Never: () => {} };
      }
    }
    backend = await startBackend({ composition: { ...calculators, aggregates: [Touchy] } });
    const { status, body } = await backend.command("Touch", { aggregateId: "this" }, { "if-none-match": "*" });
    expect([status, body.code]).to.deep.equal([409, "concurrency"]);
  });

  it("keeps what an unforeseen error says to itself, and logs it under the requestId of the answer", async () => {
    class Broken extends Aggregate {
      static readonly path = "/broken";
      static readonly access = "tenant";
      get commands() {
        return {
          Throw: (_context: CommandContext<Broken>) => {
            throw new Error("the password is hunter2", { cause: new Error("deeper") });
          },
          ThrowText: (_context: CommandContext<Broken>) => {
            throw "hunter2";
          },
        };
      }
      get events() {
        return { Never: () => {} };
      }
    }
    backend = await startBackend({ composition: { ...calculators, aggregates: [Broken] } });
    for (const [name, logged] of [
      ["Throw", /the password is hunter2/],
      ["ThrowText", /something that is no Error was thrown/],
    ] as const) {
      const { status, body } = await backend.command(name, {});
      expect([status, body.code]).to.deep.equal([500, "internal"]);
      expect(JSON.stringify(body)).not.to.contain("hunter2");
      const line = backend.lines.find(({ requestId }) => requestId === body.requestId);
      expect(line).to.include({ severity: "ERROR", message: "request", code: "internal", status: 500 });
      expect(JSON.stringify(line?.error)).to.match(logged);
      expect(JSON.stringify(line?.error), "a cause may quote data").not.to.contain("deeper");
    }
  });

  it("tells a failing store from a conflict, and whether to try again", async () => {
    const store = new MemoryEventStore();
    backend = await startBackend({ store });
    const fails = (error: Error) => {
      store.commit = () => Promise.reject(error);
    };
    fails(new StoreError("the disk is full", { retryable: false }));
    const full = await backend.command("AddNumbers", { number1: 1, number2: 2 });
    expect([full.status, full.body.code, full.headers.get("retry-after")]).to.deep.equal([503, "store", null]);
    fails(new StoreError("nobody knows", { retryable: true, outcome: "unknown", cause: new Error("secret host") }));
    const unknown = await backend.command("AddNumbers", { number1: 1, number2: 2 });
    expect([unknown.status, unknown.headers.get("retry-after")]).to.deep.equal([503, "1"]);
    expect(unknown.body).to.include({ code: "store", outcome: "unknown", retryable: true });
    expect(JSON.stringify(unknown.body)).not.to.contain("secret host");
    for (const [status, expected] of [
      ["suspended", 403],
      ["erased", 403],
      ["importing", 409],
    ] as const) {
      fails(new TenantError("acme", status));
      const answer = await backend.command("AddNumbers", { number1: 1, number2: 2 });
      expect([answer.status, answer.body.tenantStatus]).to.deep.equal([expected, status]);
    }
  });

  it("does not call a stored command failed because its position cannot be read", async () => {
    const store = new MemoryEventStore();
    const commit = store.commit.bind(store);
    store.commit = async (tenant, pending) =>
      (await commit(tenant, pending)).map((outcome) => (outcome.status === "committed" ? { status: "committed" } : outcome));
    store.positionOf = () => Promise.reject(new StoreError("gone", { retryable: true }));
    backend = await startBackend({ store });
    const { status, body } = await backend.command("AddNumbers", { number1: 1, number2: 2 });
    expect([status, body.position, body.version]).to.deep.equal([200, null, 0]);
  });

  it("answers an aggregate whose state is not JSON without its state", async () => {
    class Inventory extends Aggregate<{ Counted: { item: string } }> {
      static readonly path = "/inventories";
      static readonly access = "tenant";
      static readonly snapshot = false;
      counts = new Map<string, number>();
      get commands() {
        return { Count: (context: CommandContext<Inventory, { item: string }>) => context.push("Counted") };
      }
      get events() {
        return { Counted: ({ payload }: { payload: { item: string } }) => this.counts.set(payload.item, 1) };
      }
    }
    backend = await startBackend({ composition: { ...calculators, aggregates: [Inventory] } });
    const { status, body } = await backend.command("Count", { aggregateId: "i", item: "apple" });
    expect([status, body.state, body.version]).to.deep.equal([200, null, 0]);
    expect((await backend.send("/aggregates/inventories/i")).body).to.deep.equal({ aggregateId: "i", version: 0, state: null });
  });

  it("refuses two projections of one collection when it is composed", async () => {
    backend = await startBackend();
    let message = "";
    await startBackend({ composition: { ...calculators, threads: { a: [new Totals()], b: [new Totals()] } } }).catch(
      (error: Error) => {
        message = error.message;
      },
    );
    expect(message).to.contain("totals");
  });
});
