import { expect } from "chai";
import { Err, type IEventHandler, StreamReader } from "../../core/index.ts";
import { gate } from "../support/gate.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import type { Facet, Ground } from "./clause.ts";
import { readAll } from "./reading.ts";
import { Bookkeeper, tellerOf, type WalletEvents, walletsOn } from "./wallet.ts";

/** How long the readers of these clauses lease a thread, in ms. */
const LEASE_MS = 30_000;

/** A handler that keeps what it was given, as `id@version`, and may be told to fail. */
class Listener implements IEventHandler<WalletEvents> {
  readonly name: string;
  readonly heard: string[] = [];
  /** What happens before an event is heard. */
  before: (what: string) => Promise<void> | void = () => undefined;

  constructor(name = "Listener") {
    this.name = name;
  }

  readonly events: IEventHandler<WalletEvents>["events"] = {
    Paid: async (tenant, _event, commit) => {
      expect(commit.tenant).to.equal(tenant);
      await this.before(`${commit.id}@${commit.version}`);
      this.heard.push(`${commit.id}@${commit.version}`);
    },
  };
}

function readerOn({ store, clock }: Ground): StreamReader {
  return new StreamReader(store, { platform: clock, retries: 1, firstDelay: 1_000 });
}

/** Deposits to wallets in turn; returns what a listener must hear. */
async function deposit(ground: Ground, count: number, first = 0): Promise<readonly string[]> {
  const handler = walletsOn(ground);
  const told: string[] = [];
  for (let n = first; n < first + count; n++) {
    const { aggregate } = await handler.command(tellerOf(ground.tenant), "Deposit", { amount: 1, aggregateId: `w${n % 3}` });
    told.push(`w${n % 3}@${aggregate.aggregateVersion}`);
  }
  return told;
}

/** What the engine promises of readers, on every store. */
export const engineReaders: Facet = {
  name: "readers",
  clauses: [
    {
      title: "tell each event once and in order, however small the pages, and go on where they were",
      check: async (ground) => {
        const listener = new Listener();
        const told = [...(await deposit(ground, 10))];
        expect(await pollUntilIdle(readerOn(ground), ground.tenant, "main", [listener], { limit: 3 })).to.equal(10);
        expect(listener.heard).to.deep.equal(told);
        told.push(...(await deposit(ground, 5, 10)));
        await pollUntilIdle(readerOn(ground), ground.tenant, "main", [listener], { limit: 1 });
        expect(listener.heard).to.deep.equal(told);
        expect((await readerOn(ground).poll(ground.tenant, "main", [listener])).status).to.equal("idle");
      },
    },
    {
      title: "let a handler that joins later catch up, and one from the end hear only what is new",
      check: async (ground) => {
        const [first, late, newest] = [new Listener("First"), new Listener("Late"), new Listener("Newest")];
        const told = [...(await deposit(ground, 4))];
        await pollUntilIdle(readerOn(ground), ground.tenant, "main", [first]);
        await pollUntilIdle(readerOn(ground), ground.tenant, "tail", [newest], { from: "end" });
        told.push(...(await deposit(ground, 3, 4)));
        await pollUntilIdle(readerOn(ground), ground.tenant, "main", [first, late]);
        await pollUntilIdle(readerOn(ground), ground.tenant, "tail", [newest], { from: "end" });
        expect(first.heard).to.deep.equal(told);
        expect(late.heard).to.deep.equal(told);
        expect(newest.heard).to.deep.equal(told.slice(4));
      },
    },
    {
      title: "stop at an event that fails, alone, and go on with it when its time has come",
      check: async (ground) => {
        const [steady, failing] = [new Listener("Steady"), new Listener("Failing")];
        const told = await deposit(ground, 5);
        let failures = 0;
        failing.before = (what) => {
          if (what === told[2] && failures++ === 0) throw new Error("not yet");
        };
        const reader = readerOn(ground);
        for (let polls = 0; polls < 50 && steady.heard.length < 5; polls++)
          await reader.poll(ground.tenant, "main", [steady, failing]);
        expect(steady.heard).to.deep.equal(told);
        expect(failing.heard).to.deep.equal(told.slice(0, 2));
        const { blocked } = await reader.poll(ground.tenant, "main", [steady, failing]);
        expect(blocked[0]).to.include({ handler: "Failing", attempts: 1, halted: false });
        ground.clock.turn(10_000);
        await pollUntilIdle(reader, ground.tenant, "main", [steady, failing]);
        expect(failing.heard).to.deep.equal(told);
        expect(steady.heard).to.deep.equal(told);
      },
    },
    {
      title: "set an event aside after its last retry, go on, and hand it over again when asked",
      check: async (ground) => {
        const { tenant, clock } = ground;
        const listener = new Listener();
        const told = await deposit(ground, 4);
        let isBroken = true;
        listener.before = (what) => {
          if (isBroken && what === told[1]) throw new Error("broken");
        };
        const reader = readerOn(ground);
        for (let polls = 0; polls < 50 && listener.heard.length < 3; polls++) {
          await reader.poll(tenant, "main", [listener], { onError: "park" });
          clock.turn(10_000);
        }
        expect(listener.heard).to.deep.equal([told[0], told[2], told[3]]);
        const second = (await readAll(ground, tenant)).commits[1]!;
        const { parked } = await reader.parked(tenant, "main");
        expect(parked.map(({ handler, position, index, event }) => ({ handler, position, index, event }))).to.deep.equal([
          { handler: "Listener", position: second.position, index: 0, event: "Paid" },
        ]);
        isBroken = false;
        expect(await reader.retryParked(tenant, "main", listener)).to.deep.equal({ retried: 1, failed: 0, waiting: 0 });
        expect(listener.heard.at(-1)).to.equal(told[1]);
        expect((await reader.parked(tenant, "main")).parked).to.deep.equal([]);
      },
    },
    {
      title: "rewind a handler to the start, and a projection to the same views",
      check: async (ground) => {
        const { tenant } = ground;
        const listener = new Listener();
        const books = new Bookkeeper();
        const told = await deposit(ground, 7);
        const reader = readerOn(ground);
        await pollUntilIdle(reader, tenant, "main", [listener, books]);
        const before = await reader.views(tenant, books).list();
        expect(before.views.length).to.equal(3);
        for (const handler of [listener, books]) await reader.rewind(tenant, "main", handler);
        await pollUntilIdle(reader, tenant, "main", [listener, books]);
        expect(listener.heard).to.deep.equal([...told, ...told]);
        expect(await reader.views(tenant, books).list()).to.deep.equal(before);
      },
    },
    {
      title: "lease a thread to one of eight that poll at once",
      check: async (ground) => {
        const told = await deposit(ground, 3);
        await readAll(ground, ground.tenant);
        const hold = gate();
        const listeners = Array.from({ length: 8 }, () => new Listener());
        let working = 0;
        const entered = gate();
        for (const listener of listeners) {
          listener.before = async () => {
            working += 1;
            entered.open();
            await hold.passed;
          };
        }
        const first = readerOn(ground).poll(ground.tenant, "main", [listeners[0]!]);
        await entered.passed;
        const others = await Promise.all(
          listeners.slice(1).map((listener) => readerOn(ground).poll(ground.tenant, "main", [listener])),
        );
        expect(others.map(({ status }) => status)).to.deep.equal(others.map(() => "leased"));
        expect(working).to.equal(1);
        hold.open();
        await first;
        await pollUntilIdle(readerOn(ground), ground.tenant, "main", [listeners[0]!]);
        expect(listeners.flatMap(({ heard }) => heard)).to.deep.equal(told);
      },
    },
    {
      title: "store nothing of a reader whose lease ended while it worked",
      check: async (ground) => {
        const { tenant, clock } = ground;
        const told = await deposit(ground, 3);
        await readAll(ground, tenant);
        const [zombie, heir] = [new Listener(), new Listener()];
        const [entered, hold] = [gate(), gate()];
        zombie.before = async () => {
          entered.open();
          await hold.passed;
        };
        const books = new Bookkeeper();
        const late = readerOn(ground).poll(tenant, "main", [books, zombie], { lease: LEASE_MS });
        await entered.passed;
        clock.turn(LEASE_MS + 1_000);
        await pollUntilIdle(readerOn(ground), tenant, "main", [books, heir], { lease: LEASE_MS });
        const settled = { cursors: (await ground.store.peek(tenant, "main")).thread.cursors };
        hold.open();
        expect((await late).status).to.equal("leased");
        expect((await ground.store.peek(tenant, "main")).thread.cursors).to.deep.equal(settled.cursors);
        expect(heir.heard).to.deep.equal(told);
        const { views } = await readerOn(ground).views(tenant, books).list();
        expect(views.map(({ value }) => value)).to.deep.equal([1, 1, 1].map((payments) => ({ balance: 1, payments })));
      },
    },
    {
      title: "renew their lease while handlers work",
      check: async (ground) => {
        const { tenant, clock } = ground;
        const told = await deposit(ground, 6);
        await readAll(ground, tenant);
        const [slow, rival] = [new Listener(), new Listener()];
        slow.before = async () => {
          clock.turn(LEASE_MS * 0.4);
          expect((await readerOn(ground).poll(tenant, "main", [rival], { lease: LEASE_MS })).status).to.equal("leased");
        };
        await readerOn(ground).poll(tenant, "main", [slow], { lease: LEASE_MS });
        expect(slow.heard).to.deep.equal(told);
        expect(rival.heard).to.deep.equal([]);
      },
    },
    {
      title: "refuse a projection whose collection belongs to another, and leave its views alone",
      check: async (ground) => {
        await deposit(ground, 3);
        const reader = readerOn(ground);
        const owner = new Bookkeeper("bookings", "Owner");
        await pollUntilIdle(reader, ground.tenant, "main", [owner]);
        const before = await reader.views(ground.tenant, owner).list();
        for (const thread of ["main", "other"]) {
          const error = await rejects(Err, pollUntilIdle(reader, ground.tenant, thread, [new Bookkeeper("bookings", "Rival")]));
          expect(error.code).to.equal("precondition");
        }
        const both = [new Bookkeeper("free", "One"), new Bookkeeper("free", "Two")];
        expect((await rejects(Err, pollUntilIdle(reader, ground.tenant, "third", both))).code).to.be.oneOf([
          "precondition",
          "invalid_argument",
        ]);
        expect(await reader.views(ground.tenant, owner).list()).to.deep.equal(before);
      },
    },
    {
      title: "tell when a thread has finished a command's position",
      check: async (ground) => {
        const { tenant } = ground;
        const context = await walletsOn(ground).command(tellerOf(tenant), "Deposit", { amount: 1, aggregateId: "w" });
        const reader = readerOn(ground);
        const position = await context.position();
        expect(await reader.waitFor(tenant, "main", position, { timeout: 0 })).to.equal(false);
        await pollUntilIdle(reader, tenant, "main", [new Listener()]);
        expect(await reader.waitFor(tenant, "main", position, { timeout: 0 })).to.equal(true);
      },
    },
  ],
};
