import { expect } from "chai";
import { type AnyHandler, Err, type JsonObject, Projection, type ProjectionEvents, StreamReader } from "../../core/index.ts";
import { CrashingStore } from "../support/crashing-store.ts";
import { pollDuring, pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { Clause, Facet, Ground } from "./clause.ts";
import { listAll } from "./reading.ts";
import { Bookkeeper, tellerOf, type WalletEvents, walletsOn } from "./wallet.ts";

/** The bookkeeper's next version: it counts too, and also keeps the largest payment; from wallets of a few cents it keeps nothing. */
class Bookkeeper2 extends Projection<JsonObject, WalletEvents> {
  override readonly name = "Bookkeeper";
  readonly collection = "bookings";
  override readonly version: number;
  /** The amount at which it fails, as long as it is set. */
  refused: number | undefined;

  constructor(version = 1) {
    super();
    this.version = version;
  }

  get events(): ProjectionEvents<JsonObject, WalletEvents> {
    return {
      Paid: {
        id: (_event, commit) => (commit.id === "w0" ? undefined : commit.id),
        next: (view, { payload }) => {
          if (payload.amount === this.refused) throw new Error("it does not fold");
          return {
            balance: Number(view?.balance ?? 0) + payload.amount,
            payments: Number(view?.payments ?? 0) + 1,
            largest: Math.max(Number(view?.largest ?? 0), payload.amount),
          };
        },
      },
    };
  }
}

function readerOn({ store, clock }: Pick<Ground, "store" | "clock">): StreamReader {
  return new StreamReader(store, { platform: clock, retries: 0 });
}

/** Deposits 1, 2, 3 … to three wallets in turn, from a number on. */
async function deposit(ground: Ground, count: number, first = 0): Promise<void> {
  const handler = walletsOn(ground);
  for (let n = first; n < first + count; n++)
    await handler.command(tellerOf(ground.tenant), "Deposit", { amount: n + 1, aggregateId: `w${n % 3}` });
}

/** What the views of either version must be after so many deposits. */
function expected(deposits: number, version: 0 | 1): Readonly<Record<string, JsonObject>> {
  const views: Record<string, { balance: number; payments: number; largest?: number }> = {};
  for (let n = 0; n < deposits; n++) {
    const id = `w${n % 3}`;
    if (version === 1 && id === "w0") continue;
    const { balance = 0, payments = 0 } = views[id] ?? {};
    views[id] = { balance: balance + n + 1, payments: payments + 1, ...(version === 1 && { largest: n + 1 }) };
  }
  return views;
}

/** What readers see, and what whoever follows the pointer in the database sees. */
async function seen(ground: Ground): Promise<Readonly<Record<string, unknown>>> {
  const { views } = await readerOn(ground).views(ground.tenant, { collection: "bookings" }).list();
  const [pointer] = await ground.store.views(ground.tenant, "bookings~live").get(["live"]);
  const live = await listAll(ground.store, ground.tenant, String(pointer?.collection ?? "bookings"));
  expect(views).to.deep.equal(live);
  return Object.fromEntries(views.map(({ id, value }) => [id, value]));
}

function poll(ground: Ground, handler: AnyHandler): Promise<number> {
  return pollUntilIdle(readerOn(ground), ground.tenant, "main", [handler]);
}

/** One clause for each seed: the rebuilding process dies at random writes while commands and the live projection go on. */
const crashes: readonly Clause[] = [1, 2].map((seed) => ({
  title: `come to the same views however often the process dies (seed ${seed})`,
  check: async (ground) => {
    const { store, clock, tenant } = ground;
    const random = seededRandom(seed);
    const crashing = new CrashingStore(store);
    crashing.crash = () => (random.chance(0.3) ? (random.chance(0.5) ? "before" : "after") : undefined);
    let deposits = 12;
    await deposit(ground, deposits);
    await poll(ground, new Bookkeeper());
    let deaths = 0;
    for (let isSwitched = false; !isSwitched; ) {
      try {
        const { status } = await readerOn({ store: crashing, clock }).rebuild(tenant, "main", new Bookkeeper2(), { limit: 3 });
        isSwitched = status === "switched";
      } catch {
        deaths++;
        clock.turn(30_001);
        // The switch may have gone through before the process died.
        const { thread } = await store.peek(tenant, "main");
        isSwitched = thread.cursors.Bookkeeper?.version === 1;
        if (!isSwitched) await poll(ground, new Bookkeeper());
        await deposit(ground, 1, deposits++);
      }
    }
    expect(deaths, "deaths").to.be.above(0);
    clock.turn(30_001);
    await poll(ground, new Bookkeeper2());
    expect(await seen(ground)).to.deep.equal(expected(deposits, 1));
  },
}));

/** What the engine promises of rebuilding a projection, on every store. */
export const engineRebuild: Facet = {
  name: "rebuilds",
  clauses: [
    {
      title: "build beside the live views, show the difference, switch, and roll back with what happened since",
      check: async (ground) => {
        const { tenant } = ground;
        const reader = readerOn(ground);
        await deposit(ground, 7);
        await poll(ground, new Bookkeeper());
        const told: number[] = [];
        const onProgress = ({ position, head }: { position: number; head: number }) => told.push(position, head);
        const ready = await reader.rebuild(tenant, "main", new Bookkeeper2(), { hold: true, limit: 2, onProgress });
        expect(ready).to.include({ status: "ready", events: 7 });
        expect(told.at(-2)).to.equal(ready.position);
        expect(told.length).to.be.above(4);
        expect(await seen(ground)).to.deep.equal(expected(7, 0));
        const difference = await reader.diff(tenant, "main", new Bookkeeper2(), { samples: 1 });
        expect(difference).to.include({ added: 0, removed: 1, changed: 2, same: 0 });
        expect(difference.positions.next).to.equal(difference.positions.live);
        expect(difference.samples.removed).to.deep.equal([{ id: "w0", live: expected(7, 0).w0 }]);
        expect(difference.samples.changed.length).to.equal(1);
        // The live projection goes on meanwhile, and the switch catches up with it.
        await deposit(ground, 3, 7);
        await poll(ground, new Bookkeeper());
        expect(await seen(ground)).to.deep.equal(expected(10, 0));
        expect(await reader.rebuild(tenant, "main", new Bookkeeper2())).to.include({ status: "switched", events: 3 });
        expect(await seen(ground)).to.deep.equal(expected(10, 1));
        await deposit(ground, 2, 10);
        await poll(ground, new Bookkeeper2());
        expect(await seen(ground)).to.deep.equal(expected(12, 1));
        expect(await reader.rollback(tenant, "main", new Bookkeeper())).to.include({ status: "switched", events: 2 });
        expect(await seen(ground)).to.deep.equal(expected(12, 0));
        await deposit(ground, 1, 12);
        await poll(ground, new Bookkeeper());
        expect(await seen(ground)).to.deep.equal(expected(13, 0));
        // And back again: a roll back can be rolled back.
        await reader.rollback(tenant, "main", new Bookkeeper2());
        expect(await seen(ground)).to.deep.equal(expected(13, 1));
      },
    },
    {
      title: "go on while commands come and the live projection works, and end at a fresh fold",
      check: async (ground) => {
        const { tenant } = ground;
        await deposit(ground, 20);
        await poll(ground, new Bookkeeper());
        let isSwitched = false;
        const work = async () => {
          const commands = deposit(ground, 20, 20);
          await readerOn(ground).rebuild(tenant, "main", new Bookkeeper2(), { limit: 4 });
          isSwitched = true;
          await commands;
        };
        await pollDuring(work(), async () => {
          try {
            await readerOn(ground).poll(tenant, "main", [isSwitched ? new Bookkeeper2() : new Bookkeeper()], { limit: 2 });
          } catch (error) {
            // The switch came between.
            if (!Err.is(error, "outdated")) throw error;
          }
        });
        await poll(ground, new Bookkeeper2());
        expect(await seen(ground)).to.deep.equal(expected(40, 1));
      },
    },
    {
      title: "are asked for when the version changes: a poll is refused before it leases anything",
      check: async (ground) => {
        const { store, tenant } = ground;
        await deposit(ground, 3);
        await poll(ground, new Bookkeeper());
        await deposit(ground, 1, 3);
        const { thread: before } = await store.peek(tenant, "main");
        const error = await rejects(Err, readerOn(ground).poll(tenant, "main", [new Bookkeeper2()]));
        expect(error).to.include({ code: "outdated", version: 1, viewsVersion: 0 });
        expect(error.message).to.match(/rebuild/);
        expect((await store.peek(tenant, "main")).thread).to.deep.equal(before);
        await readerOn(ground).rebuild(tenant, "main", new Bookkeeper2());
        expect((await rejects(Err, readerOn(ground).poll(tenant, "main", [new Bookkeeper()]))).code).to.equal("outdated");
        expect((await rejects(Err, readerOn(ground).rollback(tenant, "main", new Bookkeeper2()))).code).to.equal("outdated");
        await poll(ground, new Bookkeeper2());
        expect(await seen(ground)).to.deep.equal(expected(4, 1));
      },
    },
    {
      title: "stop where they are told to, and go on there; a new version begins anew",
      check: async (ground) => {
        const { tenant } = ground;
        await deposit(ground, 8);
        await poll(ground, new Bookkeeper());
        const stop = new AbortController();
        const options = { limit: 2, signal: stop.signal, onProgress: () => stop.abort() };
        const stopped = await readerOn(ground).rebuild(tenant, "main", new Bookkeeper2(), options);
        expect(stopped.status).to.equal("stopped");
        const { events } = await readerOn(ground).rebuild(tenant, "main", new Bookkeeper2(), { hold: true });
        expect(stopped.events + events).to.equal(8);
        expect(await readerOn(ground).rebuild(tenant, "main", new Bookkeeper2(2))).to.include({ events: 8, status: "switched" });
        expect(await seen(ground)).to.deep.equal(expected(8, 1));
      },
    },
    {
      title: "stop at an event that does not fold, and pass over it once the operator has",
      check: async (ground) => {
        const { tenant, clock } = ground;
        const reader = readerOn(ground);
        await deposit(ground, 6);
        const live = new Bookkeeper();
        await poll(ground, live);
        const next = new Bookkeeper2();
        next.refused = 5;
        const error = await rejects(Err, reader.rebuild(tenant, "main", next));
        expect(error).to.include({ code: "precondition", index: 0 });
        expect(error.message).to.match(/does not fold/);
        expect(await seen(ground)).to.deep.equal(expected(6, 0));
        // Mended: it goes on at the event.
        next.refused = undefined;
        clock.turn(1);
        await reader.rebuild(tenant, "main", next);
        expect(await seen(ground)).to.deep.equal(expected(6, 1));
        // The event that halts the live projection is skipped there, and so it is in a rebuild.
        next.refused = 8;
        await deposit(ground, 4, 6);
        for (let polls = 0, isBlocked = false; !isBlocked && polls < 50; polls++)
          isBlocked = (await reader.poll(tenant, "main", [next])).blocked.length > 0;
        await reader.skip(tenant, "main", "Bookkeeper", "nobody paid this");
        await poll(ground, next);
        const third = new Bookkeeper2(3);
        third.refused = 8;
        await reader.rebuild(tenant, "main", third);
        const { w1, w2 } = expected(10, 1);
        expect(await seen(ground)).to.deep.equal({
          w1: { ...w1, balance: Number(w1?.balance) - 8, payments: 2, largest: 5 },
          w2,
        });
      },
    },
    {
      title: "leave nothing to roll back to after a discard, and nothing at all after an erasure",
      check: async (ground) => {
        const { store, tenant } = ground;
        const reader = readerOn(ground);
        await deposit(ground, 5);
        await poll(ground, new Bookkeeper());
        await reader.rebuild(tenant, "main", new Bookkeeper2());
        await reader.discard(tenant, "main", new Bookkeeper2());
        expect(await listAll(store, tenant, "bookings")).to.deep.equal([]);
        expect((await rejects(Err, reader.rollback(tenant, "main", new Bookkeeper()))).code).to.equal("not_found");
        expect(await seen(ground)).to.deep.equal(expected(5, 1));
        await store.erase(tenant);
        for (const place of ["bookings", "bookings~1", "bookings~live"])
          expect(await listAll(store, tenant, place), place).to.deep.equal([]);
      },
    },
    {
      title: "hand no event over twice that the old views lacked, nor lose it for them",
      check: async (ground) => {
        const { tenant } = ground;
        const reader = readerOn(ground);
        const old = new Bookkeeper2(0);
        old.refused = 2;
        await deposit(ground, 6);
        for (let polls = 0; polls < 50; polls++)
          if ((await reader.poll(tenant, "main", [old], { onError: "park" })).status === "idle") break;
        await reader.rebuild(tenant, "main", new Bookkeeper2());
        expect(await reader.retryParked(tenant, "main", new Bookkeeper2())).to.deep.equal({ retried: 0, failed: 0, waiting: 0 });
        expect(await seen(ground)).to.deep.equal(expected(6, 1));
        await reader.rollback(tenant, "main", old);
        old.refused = undefined;
        expect(await reader.retryParked(tenant, "main", old)).to.deep.equal({ retried: 1, failed: 0, waiting: 0 });
        expect(await seen(ground)).to.deep.equal(expected(6, 1));
        expect((await reader.parked(tenant, "main")).parked).to.deep.equal([]);
      },
    },
    {
      title: "are refused for a handler without views and for a projection that the thread does not know",
      check: async (ground) => {
        const reader = readerOn(ground);
        const unknown = await rejects(Err, reader.rebuild(ground.tenant, "main", new Bookkeeper()));
        expect(unknown.code).to.equal("not_found");
        const handler = { name: "Plain", events: { Paid: () => undefined } };
        expect((await rejects(Err, reader.rebuild(ground.tenant, "main", handler))).code).to.equal("invalid_argument");
      },
    },
    ...crashes,
  ],
};
