import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Err, type IEventStore, type Peek, StoreError, type TenantStatus } from "../../core/index.ts";
import { doorbell } from "../../functions/doorbell.ts";
import { DelegatingStore } from "../support/delegating-store.ts";
import { recorded } from "../support/functions-recorder.ts";
import { gate } from "../support/gate.ts";
import { rejects } from "../support/rejects.ts";

const BUDGET = { budget: 8_000 };

describe("a doorbell", () => {
  it("reads every thread of its tenant to the end, and no other tenant", async () => {
    const { store, service, seen, add } = recorded(["main", "mail"]);
    await add("acme", "a", 250);
    await add("other", "b");
    expect(await doorbell({ store, service })("acme", BUDGET)).to.deep.equal({ tenant: "acme", status: "idle", handled: 500 });
    const expected = Array.from({ length: 250 }, (_, version) => `acme/a/${version}`);
    expect(seen).to.deep.equal({ main: expected, mail: expected });
  });

  it("does nothing when it rings again, late, or out of order", async () => {
    const { store, service, seen, add } = recorded();
    await add("acme", "a", 3);
    const ring = doorbell({ store, service });
    for (let times = 0; times < 4; times++) await ring("acme", BUDGET);
    await Promise.all(Array.from({ length: 20 }, () => ring("acme", BUDGET)));
    expect(seen.main).to.deep.equal(["acme/a/0", "acme/a/1", "acme/a/2"]);
  });

  it("is made up for by the next ring when it is lost", async () => {
    const { store, service, seen, add } = recorded();
    const ring = doorbell({ store, service });
    await add("acme", "a");
    await add("acme", "a");
    await ring("acme", BUDGET);
    expect(seen.main).to.have.length(2);
  });

  it("costs one read when the tenant is forged, and none when its name is no name", async () => {
    const calls: string[] = [];
    const store = new Proxy(new MemoryEventStore(), {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...given: unknown[]) => {
          calls.push(String(name));
          return member.apply(target, given);
        };
      },
    });
    const { service } = recorded([], undefined, store);
    const ring = doorbell({ store, service: { ...service, threads: { main: [{ name: "recorder", events: {} }] } } });
    for (const name of ["..", "", "a/b", "acme\n", "x".repeat(65), "__proto__", undefined as unknown as string]) {
      expect((await ring(name, BUDGET)).status, String(name)).to.equal("unknown");
    }
    expect(calls).to.deep.equal([]);
    for (const name of ["nobody", "constructor"]) expect((await ring(name, BUDGET)).status).to.equal("unknown");
    expect(calls).to.deep.equal(["status", "status"]);
  });

  it("leaves an erased tenant alone", async () => {
    const { store, service, seen, add } = recorded();
    await add("acme", "a");
    await store.erase("acme");
    expect(await doorbell({ store, service })("acme", BUDGET)).to.deep.equal({ tenant: "acme", status: "unknown", handled: 0 });
    expect(seen.main).to.deep.equal([]);
  });

  it("shares one reading between all who ring while one reads, which sees what was there when they rang", async () => {
    const entered = gate();
    const held = gate();
    let readings = 0;
    class CountingStore extends DelegatingStore {
      override status(tenant: string): Promise<TenantStatus> {
        readings++;
        return super.status(tenant);
      }
    }
    const { store, service, seen, add } = recorded(
      ["main"],
      () => {
        entered.open();
        return held.passed;
      },
      new CountingStore(new MemoryEventStore()),
    );
    await add("acme", "a");
    const ring = doorbell({ store, service });
    const first = ring("acme", BUDGET);
    await entered.passed;
    await add("acme", "b");
    const others = Array.from({ length: 30 }, () => ring("acme", BUDGET));
    held.open();
    await Promise.all([first, ...others]);
    expect(seen.main).to.deep.equal(["acme/a/0", "acme/b/0"]);
    expect(readings).to.equal(2);
  });

  it("stops when its time is over, leaves the thread free, and the next ring goes on where it stopped", async () => {
    const { store, service, seen, add } = recorded(["main"], () => sleep(10));
    await add("acme", "a", 60);
    const ring = doorbell({ store, service });
    const rung = await ring("acme", { budget: 150 });
    expect(rung.status).to.equal("unfinished");
    expect(rung.handled).to.be.within(1, 59);
    expect((await store.peek("acme", "main")).thread).to.deep.include({ leasedUntil: 0 });
    expect((await ring("acme", BUDGET)).handled).to.equal(60 - rung.handled);
    expect(seen.main).to.deep.equal(Array.from({ length: 60 }, (_, version) => `acme/a/${version}`));
  });

  it("tries a handler that failed again, as long as there is time", async () => {
    let failures = 2;
    const { store, service, seen, add } = recorded(["main"], () => {
      if (failures-- > 0) throw new Error("not yet");
    });
    await add("acme", "a");
    const ring = doorbell({ store, service });
    expect(await ring("acme", BUDGET)).to.deep.equal({ tenant: "acme", status: "idle", handled: 1 });
    expect(seen.main).to.deep.equal(["acme/a/0"]);

    failures = Number.POSITIVE_INFINITY;
    await add("acme", "a");
    expect(await ring("acme", { budget: 200 })).to.deep.equal({ tenant: "acme", status: "unfinished", handled: 0 });
  });

  it("takes over from a reader that died once its lease has ended, and leaves the tenant to one that lives", async () => {
    const { store, service, seen, add } = recorded();
    const leased = async (tenant: string, ms: number) => {
      await add(tenant, "a");
      const { thread } = await store.peek(tenant, "main");
      await store.acquire(tenant, "main", thread, Date.now() + ms);
    };
    await leased("dead", 1_000);
    await leased("living", 60_000);
    const ring = doorbell({ store, service });
    const [dead, living] = await Promise.all([ring("dead", BUDGET), ring("living", BUDGET)]);
    expect(dead).to.deep.equal({ tenant: "dead", status: "idle", handled: 1 });
    expect(living).to.deep.equal({ tenant: "living", status: "leased", handled: 0 });
    expect(seen.main).to.deep.equal(["dead/a/0"]);
  });

  it("tells of a store that fails, after the other threads have been read", async () => {
    class HalfBroken extends DelegatingStore {
      override peek(tenant: string, thread: string): Promise<Peek> {
        if (thread === "broken") throw new StoreError("no such luck", { retryable: true });
        return super.peek(tenant, thread);
      }
    }
    const store: IEventStore = new HalfBroken(new MemoryEventStore());
    const { service, seen, add } = recorded(["broken", "main"], undefined, store);
    await add("acme", "a");
    const lines: string[] = [];
    const ring = doorbell({
      store,
      service,
      log: (_severity, _message, facts) => lines.push(`${facts?.tenant} ${facts?.thread}`),
    });
    expect((await rejects(StoreError, ring("acme", BUDGET))).message).to.equal("no such luck");
    expect(seen.main).to.deep.equal(["acme/a/0"]);
    expect(lines).to.deep.equal(["acme broken"]);
    await rejects(StoreError, ring("acme", BUDGET));
  });

  it("refuses a budget that is none", async () => {
    const { store, service } = recorded();
    for (const budget of [0, -1, Number.NaN, 1.5]) {
      const error = await rejects(Err, doorbell({ store, service })("acme", { budget }));
      expect(error.code).to.equal("invalid_argument");
    }
  });
});
