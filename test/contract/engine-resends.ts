import { expect } from "chai";
import { AuthorizationError, ConcurrencyError, Err, IdempotencyError, TenantError, ValidationError } from "../../core/index.ts";
import { rejects } from "../support/rejects.ts";
import type { Facet } from "./clause.ts";
import { readAll } from "./reading.ts";
import { tellerOf, Wallet, walletsOn } from "./wallet.ts";

const K = { commandId: "k-1" } as const;

/** What the engine promises of commands that are sent again with the same commandId, on every store. */
export const engineResends: Facet = {
  name: "commands sent again",
  clauses: [
    {
      title: "gives the first result again, from every handler, after others went on, and writes nothing",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const handler = walletsOn(ground);
        const first = await handler.command(actor, "Deposit", { amount: 2, aggregateId: "w" }, K);
        await handler.command(actor, "Deposit", { amount: 50, aggregateId: "w" });
        for (const who of [handler, walletsOn(ground)]) {
          const again = await who.command(actor, "Deposit", { amount: 2, aggregateId: "w" }, K);
          expect(again).to.include({ replayed: true, commitId: first.commitId, aggregateId: "w" });
          expect(again.aggregate).to.include({ aggregateVersion: 0, balance: 2 });
          expect(again.events).to.deep.equal(first.events);
          expect(await again.position()).to.equal(await first.position());
        }
        expect((await readAll(ground, ground.tenant)).commits.length).to.equal(2);
      },
    },
    {
      title: "gives the generated id of the first result again",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const first = await walletsOn(ground).command(actor, "Deposit", { amount: 2 }, K);
        const again = await walletsOn(ground).command(actor, "Deposit", { amount: 2 }, K);
        expect(again).to.include({ replayed: true, aggregateId: first.aggregateId });
        expect((await readAll(ground, ground.tenant)).commits.length).to.equal(1);
      },
    },
    {
      title: "replays where the command would conflict by now",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const data = { amount: 2, aggregateId: "w", expectedVersion: -1 };
        await walletsOn(ground).command(actor, "Deposit", data, K);
        for (const who of [walletsOn(ground), walletsOn(ground)])
          expect((await who.command(actor, "Deposit", data, K)).replayed).to.equal(true);
        await rejects(ConcurrencyError, walletsOn(ground).command(actor, "Deposit", data, { commandId: "k-2" }));
      },
    },
    {
      title: "replays where the command would be refused by now",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const handler = walletsOn(ground);
        await handler.command(actor, "Deposit", { amount: 2, aggregateId: "w" });
        await handler.command(actor, "Withdraw", { amount: 2, aggregateId: "w" }, K);
        for (const who of [handler, walletsOn(ground)]) {
          const again = await who.command(actor, "Withdraw", { amount: 2, aggregateId: "w" }, K);
          expect(again.aggregate).to.include({ balance: 0, aggregateVersion: 1 });
          await rejects(Err, who.command(actor, "Withdraw", { amount: 2, aggregateId: "w" }, { commandId: "k-2" }));
        }
        expect((await readAll(ground, ground.tenant)).commits.length).to.equal(2);
      },
    },
    {
      title: "replays where the command would be denied by now because it was carried out, and says nothing of it to another",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const handler = walletsOn(ground);
        await handler.command(actor, "Deposit", { amount: 100, aggregateId: "w" });
        await handler.command(actor, "Drain", { aggregateId: "w" }, K);
        for (const who of [handler, walletsOn(ground)]) {
          const again = await who.command(actor, "Drain", { aggregateId: "w" }, K);
          expect(again.aggregate).to.include({ balance: 0, aggregateVersion: 1 });
          await rejects(AuthorizationError, who.command(actor, "Drain", { aggregateId: "w" }, { commandId: "k-2" }));
          await rejects(AuthorizationError, who.command(tellerOf(ground.tenant, "bob"), "Drain", { aggregateId: "w" }, K));
        }
      },
    },
    {
      title: "replays where the tenant is suspended by now, which takes no other command",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const handler = walletsOn(ground);
        await handler.command(actor, "Deposit", { amount: 2, aggregateId: "w" }, K);
        await ground.store.suspend(ground.tenant);
        for (const who of [handler, walletsOn(ground)]) {
          const again = await who.command(actor, "Deposit", { amount: 2, aggregateId: "w" }, K);
          expect([again.replayed, again.aggregate.balance]).to.deep.equal([true, 2]);
          await rejects(TenantError, who.command(actor, "Deposit", { amount: 2, aggregateId: "w" }, { commandId: "k-2" }));
        }
      },
    },
    {
      title: "takes the deepest payload, as without a commandId",
      check: async (ground) => {
        const value = Array.from({ length: 98 }).reduce<object>((inner) => ({ inner }), {});
        for (const options of [{}, K, K])
          await walletsOn(ground).command(tellerOf(ground.tenant), "Note", { value, aggregateId: "w" }, options);
        expect((await readAll(ground, ground.tenant)).commits.length).to.equal(2);
        const deeper = walletsOn(ground).command(tellerOf(ground.tenant), "Note", { value: { value }, aggregateId: "w" }, K);
        expect((await rejects(ValidationError, deeper)).message).to.contain("is nested deeper than 100");
      },
    },
    {
      title: "refuses a commandId that another actor, command, payload, id or version used",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const handler = walletsOn(ground);
        await handler.command(actor, "Deposit", { amount: 2, aggregateId: "w" }, K);
        const others = [
          () => handler.command(tellerOf(ground.tenant, "bob"), "Deposit", { amount: 2, aggregateId: "w" }, K),
          () => handler.command(actor, "Deposit", { amount: 3, aggregateId: "w" }, K),
          () => handler.command(actor, "Deposit", { amount: 2, aggregateId: "x" }, K),
          () => handler.command(actor, "Deposit", { amount: 2 }, K),
          () => handler.command(actor, "Deposit", { amount: 2, aggregateId: "w", expectedVersion: 0 }, K),
          () => handler.command(actor, "Withdraw", { amount: 2, aggregateId: "w" }, K),
        ];
        for (const other of others) expect((await rejects(IdempotencyError, other())).commandId).to.equal("k-1");
        expect((await readAll(ground, ground.tenant)).commits.length).to.equal(1);
      },
    },
    {
      title: "carries out once what eight handlers send at once",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const handlers = Array.from({ length: 8 }, () => walletsOn(ground));
        const contexts = await Promise.all(
          handlers.map((who) => who.command(actor, "Deposit", { amount: 2, aggregateId: "w" }, K)),
        );
        expect(contexts.filter(({ replayed }) => !replayed).length).to.be.at.most(1);
        for (const { aggregate } of contexts) expect(aggregate).to.include({ balance: 2, aggregateVersion: 0 });
        expect((await readAll(ground, ground.tenant)).commits.length).to.equal(1);
      },
    },
    {
      title: "keeps no receipt of a command that was refused or stored nothing",
      check: async (ground) => {
        const { tenant, store } = ground;
        const actor = tellerOf(tenant);
        const handler = walletsOn(ground);
        await rejects(Err, handler.command(actor, "Withdraw", { amount: 2, aggregateId: "w" }, K));
        expect((await handler.command(actor, "Look", { aggregateId: "w" }, { commandId: "k-2" })).events).to.deep.equal([]);
        for (const commandId of ["k-1", "k-2"]) expect(await store.receipt(tenant, commandId)).to.equal(undefined);
        await handler.command(actor, "Deposit", { amount: 2, aggregateId: "w" });
        expect((await handler.command(actor, "Withdraw", { amount: 2, aggregateId: "w" }, K)).replayed).to.equal(false);
      },
    },
    {
      title: "replays a command on two aggregates with the state of its own",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const handler = walletsOn(ground);
        await handler.command(actor, "Deposit", { amount: 9, aggregateId: "x" });
        await handler.command(actor, "Move", { aggregateId: "x", to: "y", amount: 4 }, K);
        await handler.command(actor, "Move", { aggregateId: "y", to: "x", amount: 4 });
        const again = await walletsOn(ground).command(actor, "Move", { aggregateId: "x", to: "y", amount: 4 }, K);
        expect(again.aggregate).to.include({ balance: 5, aggregateVersion: 1 });
        expect((await walletsOn(ground).load(actor, Wallet, "y"))?.balance).to.equal(0);
      },
    },
    {
      title: "knows the commandId again after the tenant was exported and imported",
      check: async (ground) => {
        const { tenant, store, newTenant } = ground;
        const first = await walletsOn(ground).command(tellerOf(tenant), "Deposit", { amount: 2 }, K);
        const copy = newTenant();
        await store.import(copy, store.export(tenant));
        const again = await walletsOn(ground).command(tellerOf(copy), "Deposit", { amount: 2 }, K);
        expect(again).to.include({ replayed: true, aggregateId: first.aggregateId });
      },
    },
  ],
};
