import { expect } from "chai";
import { CommandHandler, ERASED_NAME_REST, type IEventStore } from "../../core/index.ts";
import type { Facet } from "./clause.ts";
import { pending, TYPE } from "./pending.ts";
import { exportAll, stream, versionOf } from "./reading.ts";
import { tellerOf, WALLET, Wallet, walletsOn } from "./wallet.ts";
import { commits, expectStatus, grow, send } from "./writing.ts";

async function lifeOf(store: IEventStore, tenant: string, id = "a"): Promise<string> {
  return (await store.load({ tenant, type: TYPE, id })).life;
}

/** Erases a tenant and puts an export of it back; returns the life that ended. */
async function putBack(store: IEventStore, tenant: string): Promise<string> {
  const life = await lifeOf(store, tenant);
  const backup = await exportAll(store, tenant);
  await store.erase(tenant);
  await store.import(tenant, stream(backup));
  return life;
}

/** What a store promises of a tenant's lives: what was kept of an earlier one is known to be void. */
export const lives: Facet = {
  name: "lives",
  clauses: [
    {
      title: "tells the same life with every load, of whatever aggregate, by whatever way, suspended or open",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 3, { snapshots: true });
        const life = await lifeOf(store, tenant);
        expect(life).not.to.equal("");
        expect(await lifeOf(store, tenant, "absent")).to.equal(life);
        const address = { tenant, type: TYPE, id: "a" };
        for (const options of [{ after: -1 }, { after: 2 }, { upTo: 0 }, { after: -1, limit: 1 }]) {
          expect((await store.load(address, options)).life, JSON.stringify(options)).to.equal(life);
        }
        await store.suspend(tenant);
        expect(await lifeOf(store, tenant)).to.equal(life);
        await store.open(tenant);
        expect(await lifeOf(store, tenant)).to.equal(life);
      },
    },
    {
      title: "tells the life with a commit, if it tells one there",
      check: async ({ store, tenant }) => {
        const { life } = expectStatus(await send(store, tenant, pending({ id: "a", version: 0 })), "committed");
        expect(life ?? (await lifeOf(store, tenant))).to.equal(await lifeOf(store, tenant));
      },
    },
    {
      title: "gives a tenant another life with every import after an erasure",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 1);
        const seen = [await putBack(store, tenant), await putBack(store, tenant), await lifeOf(store, tenant)];
        expect(new Set(seen).size).to.equal(3);
      },
    },
    {
      title: "gives a tenant another life where its name is opened again",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 1);
        const before = await lifeOf(store, tenant);
        await store.erase(tenant);
        clock.turn(ERASED_NAME_REST + 60_000);
        await store.open(tenant);
        await grow(store, tenant, "a", 1);
        expect(await lifeOf(store, tenant)).not.to.equal(before);
      },
    },
    {
      title: "takes a commit that rests on the life that is, or on none",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 1);
        await putBack(store, tenant);
        await commits(store, tenant, pending({ id: "a", version: 1 }, { life: await lifeOf(store, tenant) }));
        await commits(store, tenant, pending({ id: "b", version: 0 }));
      },
    },
    {
      title: "refuses as reborn what rests on an earlier life, though its version fits, and writes nothing of it",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 1);
        const before = await putBack(store, tenant);
        const late = pending(
          [
            { id: "a", version: 1 },
            { id: "b", version: 0 },
          ],
          { life: before },
        );
        expect(await send(store, tenant, late)).to.deep.equal({ status: "reborn" });
        expect(await versionOf(store, tenant, "a")).to.equal(0);
        expect(await versionOf(store, tenant, "b")).to.equal(-1);
      },
    },
    {
      title: "refuses it alone: its neighbours in the group are committed",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 1);
        const before = await putBack(store, tenant);
        const life = await lifeOf(store, tenant);
        const group = [
          pending({ id: "n1", version: 0 }),
          pending({ id: "a", version: 1 }, { life: before }),
          pending({ id: "n2", version: 0 }, { life }),
        ];
        const outcomes = await store.commit(tenant, group);
        expect(outcomes.map(({ status }) => status)).to.deep.equal(["committed", "reborn", "committed"]);
      },
    },
    {
      title: "decides nothing on what a warm handler kept of an earlier life, though versions agree",
      check: async (ground) => {
        const { store, tenant } = ground;
        const actor = tellerOf(tenant);
        const warm = walletsOn(ground);
        await warm.command(actor, "Deposit", { amount: 6, aggregateId: "w" });
        const backup = await exportAll(store, tenant);
        await warm.command(actor, "Deposit", { amount: 1_000, aggregateId: "w" });
        await store.erase(tenant);
        await store.import(tenant, stream(backup));
        await new CommandHandler(store, [Wallet]).command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        const refused = await warm.command(actor, "Withdraw", { amount: 900, aggregateId: "w" }).catch((error: Error) => error);
        expect(refused).to.be.instanceOf(Error);
        const { aggregate } = await warm.command(actor, "Deposit", { amount: 10, aggregateId: "w" });
        expect(aggregate).to.include({ balance: 17, aggregateVersion: 2 });
        expect(await versionOf(store, tenant, "w", WALLET)).to.equal(2);
      },
    },
    {
      title: "refuses nothing on what a warm handler kept of an earlier life",
      check: async (ground) => {
        const { store, tenant } = ground;
        const actor = tellerOf(tenant);
        const warm = walletsOn(ground);
        await warm.command(actor, "Deposit", { amount: 500, aggregateId: "w" });
        const backup = await exportAll(store, tenant);
        await warm.command(actor, "Withdraw", { amount: 499, aggregateId: "w" });
        await store.erase(tenant);
        await store.import(tenant, stream(backup));
        await new CommandHandler(store, [Wallet]).command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        const { aggregate } = await warm.command(actor, "Withdraw", { amount: 400, aggregateId: "w" });
        expect(aggregate).to.include({ balance: 101, aggregateVersion: 2 });
      },
    },
  ],
};
