import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Err, type Peek, StoreError, type TenantPage } from "../../core/index.ts";
import { type SweepPlace, sweeper } from "../../functions/sweep.ts";
import { DelegatingStore } from "../support/delegating-store.ts";
import { recorded } from "../support/functions-recorder.ts";
import { gate } from "../support/gate.ts";
import { rejects } from "../support/rejects.ts";

const BUDGET = { budget: 8_000 };

const names = (count: number) => Array.from({ length: count }, (_, number) => `t${String(number).padStart(3, "0")}`);

describe("the sweep", () => {
  it("reads every tenant that is behind to its end, over the pages of the registry", async () => {
    const { store, service, seen, add } = recorded(["main", "mail"]);
    for (const tenant of names(230)) await add(tenant, "a");
    await add("t007", "a", 299);
    await store.suspend("t008");
    await store.erase("t009");
    const sweep = sweeper({ store, service });
    const { polls, ...swept } = await sweep(BUDGET);
    expect(swept).to.deep.equal({ tenants: 229, handled: 2 * (229 + 299), failed: 0, isComplete: true });
    for (const thread of ["main", "mail"]) {
      expect(new Set(seen[thread]).size).to.equal(229 + 299);
      expect(seen[thread]).to.include("t008/a/0").and.to.not.include("t009/a/0");
      expect(seen[thread]?.filter((note) => note.startsWith("t007"))).to.deep.equal(
        Array.from({ length: 300 }, (_, version) => `t007/a/${version}`),
      );
    }
    // Each that moved is looked at once more.
    expect(polls).to.equal(2 * (229 + 229 + 2));
    expect(await sweep(BUDGET)).to.deep.equal({ tenants: 229, polls: 458, handled: 0, failed: 0, isComplete: true });
  });

  it("gives everybody a turn before a noisy tenant gets its second", async () => {
    const { store, service, seen, add } = recorded();
    await add("a-noisy", "a", 1_000);
    for (const tenant of names(40)) await add(tenant, "a");
    expect((await sweeper({ store, service })({ ...BUDGET, concurrency: 1 })).isComplete).to.equal(true);
    const notes = seen.main ?? [];
    const lastOthers = notes.indexOf("t039/a/0");
    expect(notes.slice(0, lastOthers).filter((note) => note.startsWith("a-noisy"))).to.have.length(100);
    expect(notes).to.have.length(1_040);
  });

  it("interrupts a tenant whose handlers are slow", async () => {
    const { store, service, seen, add } = recorded(["main"], (tenant) => (tenant === "a-slow" ? sleep(20) : undefined));
    await add("a-slow", "a", 40);
    for (const tenant of names(5)) await add(tenant, "a");
    await sweeper({ store, service })({ ...BUDGET, concurrency: 1, slice: 50 });
    const notes = seen.main ?? [];
    expect(notes.indexOf("t004/a/0")).to.be.lessThan(15);
    expect(notes.filter((note) => note.startsWith("a-slow"))).to.deep.equal(
      Array.from({ length: 40 }, (_, version) => `a-slow/a/${version}`),
    );
  });

  it("keeps to its number of polls, and the next sweep begins where it stopped, also in another process", async () => {
    const { store, service, seen, add } = recorded(["main", "mail"]);
    for (const tenant of names(10)) await add(tenant, "a");
    let kept: string | undefined;
    const place: SweepPlace = {
      read: async () => kept,
      write: async (tenant) => {
        kept = tenant;
      },
    };
    for (const last of ["t002", "t005", "t008", "t001"]) {
      const swept = await sweeper({ store, service, place })({ ...BUDGET, polls: 6, concurrency: 4 });
      expect(swept).to.deep.include({ polls: 6, tenants: 3, isComplete: false });
      expect(kept).to.equal(last);
    }
    for (const thread of ["main", "mail"]) expect(seen[thread]).to.have.members(names(10).map((tenant) => `${tenant}/a/0`));
  });

  it("looks at one tenant at least, whole", async () => {
    const { store, service, seen, add } = recorded(["main", "mail", "more"]);
    for (const tenant of names(3)) await add(tenant, "a");
    const sweep = sweeper({ store, service });
    for (let times = 0; times < 3; times++) expect((await sweep({ ...BUDGET, polls: 1 })).polls).to.equal(3);
    for (const notes of Object.values(seen)) expect(notes).to.have.length(3);
  });

  it("stops when its time is over, and every event is handled once in the end", async () => {
    const { store, service, seen, add } = recorded(["main"], () => sleep(5));
    for (const tenant of names(12)) await add(tenant, "a", 10);
    const sweep = sweeper({ store, service });
    const first = await sweep({ budget: 60, concurrency: 2 });
    expect(first.isComplete).to.equal(false);
    expect(first.handled).to.be.lessThan(120);
    for (const { tenant } of (await store.tenants({ limit: 100 })).tenants) {
      expect((await store.peek(tenant, "main")).thread.leasedUntil).to.equal(0);
    }
    while (!(await sweep({ budget: 500, concurrency: 4 })).isComplete);
    expect(seen.main).to.have.length(120);
    expect(new Set(seen.main).size).to.equal(120);
  });

  for (const threads of [["main"], ["main", "mail"]]) {
    it(`begins with another tenant after one took all its time (${threads.length} threads)`, async () => {
      const { store, service, seen, add } = recorded(threads, (tenant) => (tenant === "a-slow" ? sleep(20) : undefined));
      await add("a-slow", "a", 100);
      for (const tenant of names(3)) await add(tenant, "a");
      const sweep = sweeper({ store, service });
      for (let times = 0; times < 2; times++) await sweep({ budget: 300, concurrency: 1 });
      for (const tenant of names(3)) for (const thread of threads) expect(seen[thread]).to.include(`${tenant}/a/0`);
    });
  }

  it("keeps its place when its time is over, also while a handler hangs: the platform may end it before that one does", async () => {
    const [hangs, keeps] = [gate(), gate()];
    const { store, service, seen, add } = recorded(["main"], (tenant) => (tenant === "t000" ? hangs.passed : undefined));
    for (const tenant of names(9)) await add(tenant, "a");
    let kept: string | undefined;
    const place: SweepPlace = {
      read: async () => kept,
      write: async (tenant) => {
        kept = tenant;
        keeps.open();
      },
    };
    const swept = sweeper({ store, service, place })({ budget: 1_000, polls: 4, concurrency: 2 });
    try {
      await Promise.race([keeps.passed, sleep(5_000, undefined, { ref: false })]);
      expect(kept).to.equal("t003");
      expect(seen.main).to.have.members(["t001/a/0", "t002/a/0", "t003/a/0"]);
    } finally {
      hangs.open();
      await swept;
    }
    expect(seen.main).to.include("t000/a/0");
  });

  it("is not stopped by a tenant that cannot be read", async () => {
    class HalfBroken extends DelegatingStore {
      override peek(tenant: string, thread: string): Promise<Peek> {
        if (tenant === "t001") throw new StoreError("no such luck", { retryable: true });
        return super.peek(tenant, thread);
      }
    }
    const { store, service, seen, add } = recorded(["main"], undefined, new HalfBroken(new MemoryEventStore()));
    for (const tenant of names(4)) await add(tenant, "a");
    const lines: unknown[] = [];
    const log = (severity: string, _message: string, facts?: object) => lines.push({ severity, ...facts });
    expect(await sweeper({ store, service, log })(BUDGET)).to.deep.include({ failed: 1, handled: 3 });
    expect(seen.main).to.have.members(["t000/a/0", "t002/a/0", "t003/a/0"]);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.deep.include({ severity: "ERROR", tenant: "t001", thread: "main" });
  });

  it("tells of a registry that cannot be read, once the polls in hand are done", async () => {
    class NoRegistry extends DelegatingStore {
      override async tenants(options: { readonly after?: string; readonly limit: number }): Promise<TenantPage> {
        if (options.after !== undefined) throw new StoreError("no registry", { retryable: true });
        return super.tenants(options);
      }
    }
    const { store, service, seen, add } = recorded(["main"], undefined, new NoRegistry(new MemoryEventStore()));
    for (const tenant of names(120)) await add(tenant, "a");
    expect((await rejects(StoreError, sweeper({ store, service })(BUDGET))).message).to.equal("no registry");
    expect(seen.main).to.have.length(100);
  });

  it("refuses a budget that is none", async () => {
    const { store, service } = recorded();
    for (const wrong of [{ budget: 0 }, { budget: 1.5 }, { ...BUDGET, polls: 0 }, { ...BUDGET, slice: -1 }]) {
      expect((await rejects(Err, sweeper({ store, service })(wrong))).code).to.equal("invalid_argument");
    }
  });
});
