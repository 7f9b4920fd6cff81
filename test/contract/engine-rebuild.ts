import { expect } from "chai";
import { Err } from "../../core/index.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollDuring } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import type { Facet } from "./clause.ts";
import { Bookkeeper2, deposit, expected, poll, readerOn, seen } from "./rebuilt-bookings.ts";
import { Bookkeeper } from "./wallet.ts";

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
        // Seen from the new views: what only the earlier ones hold would be added.
        const back = await reader.diff(tenant, "main", new Bookkeeper2(), { samples: 1 });
        expect(back).to.include({ added: 1, removed: 0, changed: 2, same: 0 });
        expect(back.samples.added).to.deep.equal([{ id: "w0", next: expected(10, 0).w0 }]);
        expect(await reader.rollback(tenant, "main", new Bookkeeper())).to.include({ status: "switched", events: 2 });
        expect(await seen(ground)).to.deep.equal(expected(12, 0));
        await deposit(ground, 1, 12);
        await poll(ground, new Bookkeeper());
        expect(await seen(ground)).to.deep.equal(expected(13, 0));
        // And back again: a roll back can be rolled back.
        await reader.rollback(tenant, "main", new Bookkeeper2());
        expect(await seen(ground)).to.deep.equal(expected(13, 1));
        await reader.rebuild(tenant, "main", new Bookkeeper2(), { hold: true });
        expect(await reader.diff(tenant, "main", new Bookkeeper2())).to.include({ added: 0, removed: 0, changed: 0, same: 2 });
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
      title: "never take readers back: at the switch the new views hold what the live ones got meanwhile",
      check: async (ground) => {
        const { store, clock, tenant } = ground;
        await deposit(ground, 6);
        await poll(ground, new Bookkeeper());
        let isCaughtUp = false;
        let position = 0;
        const slow = intercepted(store, {
          acquire: async (...args) => {
            if (isCaughtUp) {
              isCaughtUp = false;
              // Between the last batch and the switch.
              await deposit(ground, 3, 6);
              await poll(ground, new Bookkeeper());
              position = (await store.peek(tenant, "main")).thread.cursors.Bookkeeper?.position ?? 0;
            }
            return store.acquire(...args);
          },
        });
        const onProgress = ({ events }: { readonly events: number }) => {
          isCaughtUp = events === 6;
        };
        const rebuilt = await readerOn({ store: slow, clock }).rebuild(tenant, "main", new Bookkeeper2(), { onProgress });
        expect(position).to.be.above(0);
        expect(rebuilt.position).to.be.at.least(position);
        expect(await seen(ground)).to.deep.equal(expected(9, 1));
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
      title: "are refused for a handler without views and for a projection that the thread does not know",
      check: async (ground) => {
        const reader = readerOn(ground);
        const unknown = await rejects(Err, reader.rebuild(ground.tenant, "main", new Bookkeeper()));
        expect(unknown.code).to.equal("not_found");
        expect(unknown.message).to.match(
          /on thread main was not found: check the names, or poll it first: until then it has no views$/,
        );
        const handler = { name: "Plain", events: { Paid: () => undefined } };
        expect((await rejects(Err, reader.rebuild(ground.tenant, "main", handler))).code).to.equal("invalid_argument");
      },
    },
  ],
};
