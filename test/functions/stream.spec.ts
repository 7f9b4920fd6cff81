import { setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type Actor, Aggregate, StoreError } from "../../core/index.ts";
import { shopping } from "../../examples/pwa-backend/backend.ts";
import { app } from "../../functions/app.ts";
import { compose } from "../../functions/composition.ts";
import { actorOf } from "../support/actors.ts";
import { tokenOf } from "../support/functions-backend.ts";
import { isCaughtUpTo, MEMBER, StreamTools } from "../support/functions-streams.ts";
import { gate } from "../support/gate.ts";
import { intercepted } from "../support/intercepted-store.ts";

/** Who may read its history is said by its state, so a stream of it asks the store before it begins. */
class Secret extends Aggregate<{ Told: Record<string, never> }> {
  static readonly path = "/secrets";
  static readonly access = { Tell: (_actor: Actor, _secret: Secret) => true };
  get commands() {
    return { Tell: () => {} };
  }
  get events() {
    return { Told: () => {} };
  }
}

describe("event streams of every kind", () => {
  const tools = new StreamTools();

  afterEach(() => tools.close());

  it("end with their token, saying so", async () => {
    await tools.start();
    const short = await tokenOf({ roles: MEMBER, exp: Math.ceil(Date.now() / 1000) + 1 });
    const kinds = ["/views/shopping/stream", "/aggregates/items/milk/stream"].map((path) => tools.open(path, { bearer: short }));
    for (const client of kinds) {
      expect(await client.ended).to.equal("ended");
      expect(client.events.at(-1)).to.deep.include({ event: "end", data: { reason: "expired" } });
    }
  });

  it("beat while nothing happens", async () => {
    await tools.start({ heartbeat: 20 });
    await tools.open("/views/shopping/stream").until(({ comments }) => comments >= 3);
  });

  it("are bounded for a tenant and for the process, and free their place when they end", async () => {
    await tools.start({ perTenant: 2, perProcess: 3 });
    const other = await tokenOf({ tenant: "other", roles: MEMBER });
    const first = await tools.open("/views/shopping/stream").until(({ status }) => status === 200);
    await tools.open("/aggregates/items/milk/stream").until(({ status }) => status === 200);
    const third = tools.open("/views/shopping/stream");
    await third.ended;
    expect([third.status, JSON.parse(third.body).code]).to.deep.equal([429, "too_many_streams"]);
    expect(third.headers.get("retry-after")).to.equal("5");
    await tools.open("/views/shopping/stream", { bearer: other }).until(({ status }) => status === 200);
    const full = tools.open("/views/shopping/stream", { bearer: other });
    await full.ended;
    expect([full.status, JSON.parse(full.body).code]).to.deep.equal([503, "streams_full"]);
    await first.close();
    for (let isFree = false; !isFree; ) {
      const again = tools.open("/views/shopping/stream");
      isFree = await again
        .until(({ status }) => status === 200)
        .then(
          () => true,
          () => false,
        );
    }
  });

  it("outlive a store that fails for a while", async () => {
    const inner = new MemoryEventStore();
    let failing = 0;
    const store = intercepted(inner, {
      peek: (tenant, thread) =>
        failing-- > 0 ? Promise.reject(new StoreError("the store is away", { retryable: true })) : inner.peek(tenant, thread),
    });
    await tools.start({}, store);
    const client = await tools.open("/views/shopping/stream").until((one) => one.named("caught-up").length > 0);
    failing = 3;
    const { position } = await tools.send("AddItem", "milk", { text: "Milk" });
    await client.until(isCaughtUpTo(position));
  });

  it("tell the rest, and not all again, after a store failed in the middle of a change", async () => {
    const inner = new MemoryEventStore();
    let failing = 0;
    const store = intercepted(inner, {
      views: (...given) => {
        const views = inner.views(...given);
        const get: typeof views.get = async (ids) => {
          // Not the keeper, which has done with the second commit then.
          const { cursors } = (await inner.peek("acme", "lists")).thread;
          const isStream = Object.values(cursors).some(({ position }) => position === 2);
          if (isStream && failing-- > 0) throw new StoreError("the store is away", { retryable: true });
          return views.get(ids);
        };
        return { get, list: (options) => views.list(options) };
      },
    });
    await tools.start({}, store);
    await tools.send("AddItem", "bread", { text: "Bread" });
    const client = await tools.open("/views/shopping/stream").until(({ views }) => views.size === 1);
    await client.until((one) => one.named("caught-up").length > 0);
    failing = 1;
    const { position } = await tools.send("AddItem", "milk", { text: "Milk" });
    await client.until(isCaughtUpTo(position));
    expect(failing).to.be.below(1);
    expect(client.views).to.deep.equal(await tools.collection());
    expect(client.named("reset")).to.have.length(1);
  });

  it("come without a store that rings", async () => {
    const inner = new MemoryEventStore();
    const store = intercepted(inner, {});
    Object.defineProperty(store, "watch", { value: undefined });
    await tools.start({}, store);
    const client = await tools.open("/views/shopping/stream").until((one) => one.named("caught-up").length > 0);
    const { position } = await tools.send("AddItem", "milk", { text: "Milk" });
    await client.until(isCaughtUpTo(position));
  });
});

describe("an event stream of views whose projection has halted", () => {
  it("looks no more often than one of views that are up to date", async () => {
    const inner = new MemoryEventStore();
    let looks = 0;
    let keeper = "";
    const failure = { position: 2, index: 0, attempts: 8, retryAt: 0, halted: true, error: "it fails" };
    const store = intercepted(inner, {
      peek: async (tenant, thread) => {
        looks++;
        const peeked = await inner.peek(tenant, thread);
        return { ...peeked, head: 2, thread: { ...peeked.thread, cursors: { [keeper]: { position: 1, failure } } } };
      },
    });
    const stopping = new AbortController();
    const service = compose(store, shopping);
    keeper = service.collections.get("shopping")?.handler ?? "";
    const authenticate = async () => actorOf("acme", "ada", MEMBER);
    const streams = await app({ service, authenticate, stopping: stopping.signal }).request("/views/shopping/stream");
    expect(streams.status).to.equal(200);
    await setTimeout(400);
    stopping.abort();
    expect(looks).to.be.at.most(2);
    await streams.text();
    await inner.close();
  });
});

describe("an event stream whose request ran out of time", () => {
  it("keeps no place that others need", async () => {
    const slow = gate();
    const inner = new MemoryEventStore();
    await inner.open("acme");
    const store = intercepted(inner, {
      load: async (...given) => {
        await slow.passed;
        return inner.load(...given);
      },
    });
    const stopping = new AbortController();
    const service = compose(store, { aggregates: [Secret], threads: {} });
    const authenticate = async () => actorOf("acme");
    const served = app({ service, authenticate, stopping: stopping.signal, streams: { perTenant: 1 }, deadline: 50 });
    const late = await served.request("/aggregates/secrets/s1/stream");
    expect(late.status).to.equal(503);
    slow.open();
    await setTimeout(10);
    const next = await served.request("/aggregates/secrets/s1/stream");
    stopping.abort();
    expect(next.status).to.equal(200);
    await next.text();
    await inner.close();
  });
});
