import { connect } from "node:net";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Aggregate, type CommandContext, Err, StoreError, TenantError } from "../../core/index.ts";
import { SummingCalculator, Totals } from "../../examples/calculator/index.ts";
import { app } from "../../functions/app.ts";
import { bearerAuthenticator, secretVerifier } from "../../functions/auth.ts";
import { type Composition, compose } from "../../functions/composition.ts";
import { jsonLog } from "../../functions/log.ts";
import { type Backend, SECRET, startBackend, tokenOf } from "../support/functions-backend.ts";
import { HandClock } from "../support/hand-clock.ts";
import { rejects } from "../support/rejects.ts";

const calculators: Composition = { aggregates: [SummingCalculator], threads: { calculators: [new Totals()] } };

describe("The application where something is late, broken or unusual", () => {
  let backend: Backend;
  afterEach(() => backend.close());

  it("gives up waiting for a view that does not come, and says when to ask again", async () => {
    backend = await startBackend({ patience: 50 });
    const { status, headers, body } = await backend.send("/views/totals?position=1000000");
    expect(status).to.equal(503);
    expect(headers.get("retry-after")).to.equal("1");
    expect(body).to.include({ code: "behind", position: 1_000_000 });
  });

  it("waits for 5 seconds where no patience is given, and no longer", async () => {
    backend = await startBackend({ composition: calculators });
    const platform = new HandClock();
    const service = compose(backend.store, calculators, { platform });
    const authenticate = bearerAuthenticator(await secretVerifier(SECRET));
    const { fetch: answer } = app({ service, authenticate, log: jsonLog(() => {}) });
    const headers = { authorization: `Bearer ${await tokenOf()}` };
    const { status } = await answer(new Request("http://backend/views/totals?position=1000000", { headers }));
    expect(status).to.equal(503);
    expect(platform.slept.reduce((sum, ms) => sum + ms)).to.equal(5_000);
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

  for (const framing of ["Content-Length: 100", "Transfer-Encoding: chunked"]) {
    it(`does not call it a failure of its own that a client left in the middle of its body (${framing})`, async () => {
      backend = await startBackend();
      const { hostname, port } = new URL(backend.url);
      const head = `POST /commands/AddNumbers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${framing}\r\n`;
      const socket = connect(Number(port), hostname);
      const begun = `${head}Authorization: Bearer ${await tokenOf()}\r\n\r\n5\r\n{"a":\r\n`;
      await new Promise<unknown>((resolve) => socket.write(begun, resolve));
      // The server has surely begun with it once it answered a later one.
      await backend.send("/views/totals");
      socket.destroy();
      while (backend.lines.length < 2) await new Promise((resolve) => setImmediate(resolve));
      expect(backend.lines[1]).to.include({ severity: "INFO", route: "/commands/AddNumbers", status: 400, code: "malformed" });
    });
  }

  it("tells a failing store from a conflict, and whether to try again", async () => {
    const store = new MemoryEventStore();
    backend = await startBackend({ store });
    const fails = (error: Error) => {
      store.commit = () => Promise.reject(error);
    };
    fails(new StoreError("the database /srv/secret/evenant.db is full", { retryable: false }));
    const full = await backend.command("AddNumbers", { number1: 1, number2: 2 });
    expect([full.status, full.body.code, full.headers.get("retry-after")]).to.deep.equal([503, "store", null]);
    expect(full.body.detail).to.match(/tell its operator/);
    const cause = new Error("secret host");
    fails(new StoreError("arn:secret: nobody knows", { retryable: true, outcome: "unknown", cause }));
    const unknown = await backend.command("AddNumbers", { number1: 1, number2: 2 });
    expect([unknown.status, unknown.headers.get("retry-after")]).to.deep.equal([503, "1"]);
    expect(unknown.body).to.include({ code: "store", outcome: "unknown", retryable: true });
    expect(unknown.body.detail).to.match(/the same Idempotency-Key/);
    expect(JSON.stringify([full.body, unknown.body]), "what the database says is the operator's").not.to.contain("secret");
    const logged = backend.lines.find(({ requestId }) => requestId === unknown.body.requestId);
    expect(JSON.stringify(logged)).to.contain("arn:secret");
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

  it("is not served at all where two commands have one name, or a class does not say who may send them", async () => {
    class Second extends SummingCalculator {
      static override readonly path = "/second-calculators";
    }
    class Open extends SummingCalculator {
      static override readonly access = undefined as never;
    }
    backend = await startBackend();
    for (const [aggregates, facts] of [
      [
        [SummingCalculator, Second],
        { code: "invalid_argument", message: /Second\.commands: AddNumbers is already a command of/ },
      ],
      [[Open], { code: "missing_argument", message: /Open\.access: it is required/ }],
    ] as const) {
      const error = await rejects(Err, startBackend({ composition: { aggregates: [...aggregates], threads: {} } }));
      expect(error.code).to.equal(facts.code);
      expect(error.message).to.match(facts.message);
    }
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
