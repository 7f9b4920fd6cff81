import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { StoreError } from "../../core/index.ts";
import { tokenOf } from "../support/functions-backend.ts";
import { isCaughtUpTo, MEMBER, StreamTools } from "../support/functions-streams.ts";
import { intercepted } from "../support/intercepted-store.ts";

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
