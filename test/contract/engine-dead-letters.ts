import { expect } from "chai";
import { Err, type IEventHandler, StreamReader } from "../../core/index.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import type { Clause, Facet, Ground } from "./clause.ts";
import { Bookkeeper, tellerOf, type WalletEvents, walletsOn } from "./wallet.ts";

/** A handler that notes each payment as `wallet:amount`, and fails at those that are poison. */
class Listener implements IEventHandler<WalletEvents> {
  readonly name: string;
  readonly heard: string[] = [];
  readonly poison = new Set<string>();

  constructor(name = "Listener") {
    this.name = name;
  }

  readonly events: IEventHandler<WalletEvents>["events"] = {
    Paid: async (_tenant, event, commit) => {
      const what = `${commit.id}:${event.payload.amount}`;
      if (this.poison.has(what)) throw new TypeError(`${what} is poison`);
      this.heard.push(what);
    },
  };
}

function readerOn({ store, clock }: Ground, park: "event" | "aggregate"): StreamReader {
  return new StreamReader(store, { platform: clock, retries: 0, onError: "park", park });
}

/** Deposits 1, 2, 3 … to wallets a and b in turn. */
async function deposit({ tenant, ...ground }: Ground, count: number, first = 1): Promise<void> {
  const handler = walletsOn(ground);
  for (let n = first; n < first + count; n++)
    await handler.command(tellerOf(tenant), "Deposit", { amount: n, aggregateId: n % 2 === 1 ? "a" : "b" });
}

async function listed(reader: StreamReader, tenant: string) {
  return (await reader.parked(tenant, "main", { handler: "Listener" })).parked;
}

const inOrder: Clause = {
  title: "hold later events of a parked event's aggregate back, no other's, and hand them over in order",
  check: async (ground) => {
    const { tenant } = ground;
    const [listener, other] = [new Listener(), new Listener("Other")];
    const reader = readerOn(ground, "aggregate");
    const retry = () => reader.retryParked(tenant, "main", listener);
    listener.poison.add("a:3");
    await deposit(ground, 6);
    await pollUntilIdle(reader, tenant, "main", [listener, other], { limit: 2 });
    expect(listener.heard).to.deep.equal(["a:1", "b:2", "b:4", "b:6"]);
    expect(other.heard.length).to.equal(6);
    const waiting = await listed(reader, tenant);
    expect(waiting.map(({ attempts, aggregate }) => [attempts, aggregate?.id])).to.deep.equal([
      [1, "a"],
      [0, "a"],
    ]);
    // It is held back by later polls too, and by other readers.
    await deposit(ground, 2, 7);
    await pollUntilIdle(readerOn(ground, "aggregate"), tenant, "main", [listener, other]);
    expect(listener.heard.slice(4)).to.deep.equal(["b:8"]);
    expect(await retry()).to.deep.equal({ retried: 0, failed: 1, waiting: 2 });
    const { position, index } = waiting[1]!;
    const early = await rejects(Err, reader.retryParked(tenant, "main", listener, { position, index }));
    expect(early.code).to.equal("precondition");
    listener.poison.clear();
    expect(await retry()).to.deep.equal({ retried: 3, failed: 0, waiting: 0 });
    expect(listener.heard.slice(5)).to.deep.equal(["a:3", "a:5", "a:7"]);
    // Nothing is parked any more: the aggregate's events are handed over at once again.
    await deposit(ground, 1, 9);
    await pollUntilIdle(reader, tenant, "main", [listener, other]);
    expect(listener.heard.at(-1)).to.equal("a:9");
    expect(await listed(reader, tenant)).to.deep.equal([]);
  },
};

/** What the engine promises of events that fail, on every store. */
export const engineDeadLetters: Facet = {
  name: "dead letters",
  clauses: [
    inOrder,
    {
      title: "hold an aggregate back in a tenant that was exported and imported, too",
      check: async (ground) => {
        const { store, tenant, newTenant } = ground;
        const listener = new Listener();
        const reader = readerOn(ground, "aggregate");
        listener.poison.add("a:1");
        await deposit(ground, 2);
        await pollUntilIdle(reader, tenant, "main", [listener]);
        const copy = newTenant();
        await store.import(copy, store.export(tenant));
        listener.poison.clear();
        await deposit({ ...ground, tenant: copy }, 2, 3);
        await pollUntilIdle(reader, copy, "main", [listener]);
        expect(listener.heard).to.deep.equal(["b:2", "b:4"]);
        expect(await reader.retryParked(copy, "main", listener)).to.deep.equal({ retried: 2, failed: 0, waiting: 0 });
        expect(listener.heard.slice(2)).to.deep.equal(["a:1", "a:3"]);
      },
    },
    {
      title: "let later events of the same aggregate pass where only the event is parked",
      check: async (ground) => {
        const listener = new Listener();
        const reader = readerOn(ground, "event");
        listener.poison.add("a:1");
        await deposit(ground, 4);
        await pollUntilIdle(reader, ground.tenant, "main", [listener]);
        expect(listener.heard).to.deep.equal(["b:2", "a:3", "b:4"]);
      },
    },
    {
      title: "can be looked at, with the event, the error and where it was thrown",
      check: async (ground) => {
        const { tenant } = ground;
        const listener = new Listener();
        const reader = readerOn(ground, "event");
        listener.poison.add("b:2");
        await deposit(ground, 2);
        await pollUntilIdle(reader, tenant, "main", [listener]);
        const [parked] = await listed(reader, tenant);
        expect(parked).to.include({ handler: "Listener", event: "Paid", attempts: 1, error: "TypeError: b:2 is poison" });
        expect(parked?.stack).to.match(/engine-dead-letters/);
        const letter = await reader.inspectParked(tenant, "main", parked!);
        expect(letter.parked).to.deep.equal(parked);
        expect(letter.event).to.deep.include({ name: "Paid", payload: { amount: 2 } });
        expect(letter.commit).to.include({ id: "b", position: parked?.position });
        const absent = { handler: "Listener", position: parked!.position, index: 5 };
        expect((await rejects(Err, reader.inspectParked(tenant, "main", absent))).code).to.equal("not_found");
      },
    },
    {
      title: "are listed page by page, and are those of one thread and one handler",
      check: async (ground) => {
        const { tenant } = ground;
        const [listener, other] = [new Listener(), new Listener("Other")];
        for (const { poison } of [listener, other]) for (const what of ["a:1", "b:2", "a:3"]) poison.add(what);
        const reader = readerOn(ground, "event");
        await deposit(ground, 3);
        for (const thread of ["main", "beside"]) await pollUntilIdle(reader, tenant, thread, [listener, other]);
        const first = await reader.parked(tenant, "main", { handler: "Listener", limit: 2 });
        const rest = await reader.parked(tenant, "main", { handler: "Listener", after: first.next! });
        expect([first.parked.length, rest.parked.length, rest.next]).to.deep.equal([2, 1, undefined]);
        expect([...first.parked, ...rest.parked]).to.deep.equal(await listed(reader, tenant));
        listener.poison.clear();
        await reader.retryParked(tenant, "main", listener);
        const left = [await reader.parked(tenant, "main"), await reader.parked(tenant, "beside")];
        expect(left.map(({ parked }) => parked.length)).to.deep.equal([3, 6]);
      },
    },
    {
      title: "can be tried again one by one, and passed over with a reason that is kept",
      check: async (ground) => {
        const { tenant } = ground;
        const listener = new Listener();
        const reader = readerOn(ground, "aggregate");
        for (const what of ["a:1", "b:2", "b:4"]) listener.poison.add(what);
        await deposit(ground, 5);
        await pollUntilIdle(reader, tenant, "main", [listener]);
        const [first, second] = await listed(reader, tenant);
        await reader.skipParked(tenant, "main", first!, "a test payment");
        listener.poison.delete("b:2");
        expect(await reader.retryParked(tenant, "main", listener, second!)).to.deep.equal({ retried: 1, failed: 0, waiting: 0 });
        expect(await reader.retryParked(tenant, "main", listener)).to.deep.equal({ retried: 2, failed: 1, waiting: 0 });
        expect(listener.heard).to.deep.equal(["b:2", "a:3", "a:5"]);
        const left = await listed(reader, tenant);
        expect(left.map(({ reason }) => reason)).to.deep.equal(["a test payment", undefined]);
        const gone = await rejects(Err, reader.skipParked(tenant, "main", second!, "too late"));
        expect(gone.code).to.equal("not_found");
        // Whoever names it can still have it.
        listener.poison.clear();
        expect(await reader.retryParked(tenant, "main", listener, first!)).to.include({ retried: 1 });
      },
    },
    {
      title: "keep what an operator skipped at a handler that halted, with the reason",
      check: async (ground) => {
        const { tenant, store, clock } = ground;
        const listener = new Listener();
        const reader = new StreamReader(store, { platform: clock, retries: 0 });
        listener.poison.add("a:1");
        await deposit(ground, 2);
        for (let polls = 0, isBlocked = false; !isBlocked && polls < 50; polls++)
          isBlocked = (await reader.poll(tenant, "main", [listener])).blocked.length > 0;
        await reader.skip(tenant, "main", "Listener", "it was a test");
        await pollUntilIdle(reader, tenant, "main", [listener]);
        const [kept] = await listed(reader, tenant);
        expect(kept).to.deep.include({ event: "Paid", aggregate: { type: "wallets", id: "a" }, reason: "it was a test" });
        expect(listener.heard).to.deep.equal(["b:2"]);
      },
    },
    {
      title: "go when a projection is rewound: its new views hold what they lacked",
      check: async (ground) => {
        const { tenant } = ground;
        const books = new Bookkeeper();
        const { Paid } = books.events;
        let isBroken = true;
        const broken = {
          name: books.name,
          collection: books.collection,
          events: {
            Paid: {
              id: Paid!.id,
              next: ((view, event, commit) => {
                if (isBroken && event.payload.amount === 2) throw new Error("broken");
                return Paid!.next(view, event, commit);
              }) as NonNullable<typeof Paid>["next"],
            },
          },
        };
        const reader = readerOn(ground, "event");
        await deposit(ground, 3);
        await pollUntilIdle(reader, tenant, "main", [broken]);
        isBroken = false;
        await reader.rewind(tenant, "main", broken);
        await pollUntilIdle(reader, tenant, "main", [broken]);
        expect((await reader.parked(tenant, "main")).parked).to.deep.equal([]);
        expect(await reader.views(tenant, books).get("b")).to.deep.equal({ balance: 2, payments: 1 });
      },
    },
    {
      title: "of one tenant and one handler delay no other",
      check: async (ground) => {
        const { newTenant, clock, store } = ground;
        const [sick, well] = [newTenant(), newTenant()];
        const [listener, other] = [new Listener(), new Listener("Other")];
        listener.poison.add("a:1");
        for (const tenant of [sick, well]) await deposit({ ...ground, tenant }, 4, tenant === sick ? 1 : 11);
        const stop = new AbortController();
        const reader = new StreamReader(store, { platform: clock, retries: 5, firstDelay: 60_000 });
        const run = reader.run([sick, well], "main", [listener, other], { signal: stop.signal, interval: 10 });
        try {
          for (let looks = 0; other.heard.length < 8 || listener.heard.length < 4; looks++) {
            expect(looks, "looks").to.be.below(2_000);
            await clock.sleep(5);
          }
        } finally {
          stop.abort();
          await run;
        }
        // The sick tenant's listener stands at its first event; everything else is through.
        expect([...listener.heard].sort()).to.deep.equal(["a:11", "a:13", "b:12", "b:14"]);
        const { Listener: stuck, Other } = await reader.lag(sick, "main");
        expect([stuck?.isBlocked, Number(stuck?.commits) >= 4, Other?.isBlocked]).to.deep.equal([true, true, false]);
      },
    },
  ],
};
