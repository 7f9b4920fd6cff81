import { expect } from "chai";
import { AuthorizationError, ConcurrencyError, Err, TenantError } from "../../core/index.ts";
import { rejects } from "../support/rejects.ts";
import type { Facet } from "./clause.ts";
import { exportAll, historyOf, readAll, stream, versionOf } from "./reading.ts";
import { tellerOf, WALLET, Wallet, walletsOn } from "./wallet.ts";

/** What the engine promises of commands, on every store. */
export const engineCommands: Facet = {
  name: "commands",
  clauses: [
    {
      title: "counts versions from 0, keeps the state and tells the position that reading gives",
      check: async (ground) => {
        const { tenant, store } = ground;
        const actor = tellerOf(tenant);
        for (const [version, handler] of [walletsOn(ground), walletsOn(ground), walletsOn(ground)].entries()) {
          const context = await handler.command(actor, "Deposit", { amount: 2, aggregateId: "w" });
          expect(context.aggregate).to.include({ aggregateVersion: version, balance: 2 * (version + 1) });
          const [commit] = (await readAll(ground, tenant)).commits.slice(version);
          expect(await context.position()).to.equal(commit!.position);
          expect(commit).to.include({ commitId: context.commitId, command: "Deposit", version });
        }
        expect(await versionOf(store, tenant, "w", WALLET)).to.equal(2);
      },
    },
    {
      title: "refuses another expectedVersion than the actual one at once, and writes nothing",
      check: async (ground) => {
        const { tenant, store } = ground;
        const actor = tellerOf(tenant);
        const handler = walletsOn(ground);
        for (let n = 0; n < 3; n++) await handler.command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        for (const who of [handler, walletsOn(ground)]) {
          for (const expectedVersion of [-1, 0, 1, 3, 99]) {
            const data = { amount: 1, aggregateId: "w", expectedVersion };
            const error = await rejects(ConcurrencyError, who.command(actor, "Deposit", data));
            expect(error).to.include({ expected: expectedVersion, actual: 2 });
          }
        }
        expect(await versionOf(store, tenant, "w", WALLET)).to.equal(2);
        await handler.command(actor, "Deposit", { amount: 1, aggregateId: "w", expectedVersion: 2 });
        await handler.command(actor, "Deposit", { amount: 1, aggregateId: "new", expectedVersion: -1 });
      },
    },
    {
      title: "carries 32 commands on one aggregate out, sent at once by four handlers",
      check: async (ground) => {
        const { tenant, store } = ground;
        const handlers = [0, 1, 2, 3].map(() => walletsOn(ground));
        const sent = Array.from({ length: 32 }, (_, n) =>
          handlers[n % 4]!.command(tellerOf(tenant), "Deposit", { amount: 1, aggregateId: "hot" }),
        );
        const versions = (await Promise.all(sent)).map(({ aggregate }) => aggregate.aggregateVersion);
        expect([...versions].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 32 }, (_, n) => n));
        expect((await historyOf(store, tenant, "hot", WALLET)).length).to.equal(32);
      },
    },
    {
      title: "lets a refusal stand only if the store agrees: a withdrawal succeeds after another handler's deposit",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const [stale, fresh] = [walletsOn(ground), walletsOn(ground)];
        await stale.command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        await fresh.command(actor, "Deposit", { amount: 10, aggregateId: "w" });
        const { aggregate } = await stale.command(actor, "Withdraw", { amount: 11, aggregateId: "w" });
        expect(aggregate).to.include({ balance: 0, aggregateVersion: 2 });
        await fresh.command(actor, "Deposit", { amount: 5, aggregateId: "w" });
        expect((await rejects(Err, stale.command(actor, "Withdraw", { amount: 6, aggregateId: "w" }))).message).to.include(
          "only 5",
        );
      },
    },
    {
      title: "lets a denial by state stand only if the store agrees",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const [stale, fresh] = [walletsOn(ground), walletsOn(ground)];
        await stale.command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        await rejects(AuthorizationError, stale.command(actor, "Drain", { aggregateId: "w" }));
        await fresh.command(actor, "Deposit", { amount: 99, aggregateId: "w" });
        expect((await stale.command(actor, "Drain", { aggregateId: "w" })).aggregate.balance).to.equal(0);
        await rejects(AuthorizationError, fresh.command(actor, "Drain", { aggregateId: "w" }));
      },
    },
    {
      title: "lets an empty result stand only if the store agrees, and writes nothing for it",
      check: async (ground) => {
        const { tenant, store } = ground;
        const actor = tellerOf(tenant);
        const [stale, fresh] = [walletsOn(ground), walletsOn(ground)];
        await stale.command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        await stale.command(actor, "Look", { aggregateId: "w" });
        expect((await stale.command(actor, "Look", { aggregateId: "w" })).events).to.deep.equal([]);
        expect(await versionOf(store, tenant, "w", WALLET)).to.equal(1);
        await fresh.command(actor, "Deposit", { amount: 3, aggregateId: "w" });
        expect((await stale.command(actor, "Look", { aggregateId: "w" })).aggregate).to.include({
          balance: 2,
          aggregateVersion: 3,
        });
      },
    },
    {
      title: "leaves no trace of a command that throws: not in the cache, the store or a snapshot",
      check: async (ground) => {
        const { tenant, store } = ground;
        const actor = tellerOf(tenant);
        const handler = walletsOn(ground);
        await handler.command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        expect((await rejects(Err, handler.command(actor, "Fail", { aggregateId: "w" }))).code).to.equal("precondition");
        expect((await handler.command(actor, "Deposit", { amount: 1, aggregateId: "w" })).aggregate.balance).to.equal(2);
        expect((await walletsOn(ground).load(actor, Wallet, "w"))?.balance).to.equal(2);
        expect((await historyOf(store, tenant, "w", WALLET)).length).to.equal(2);
      },
    },
    {
      title: "writes a command on two aggregates to both or neither",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const handlers = [walletsOn(ground), walletsOn(ground)];
        for (const id of ["x", "y"]) await handlers[0]!.command(actor, "Deposit", { amount: 10, aggregateId: id });
        const sent = Array.from({ length: 16 }, (_, n) => {
          const [from, to] = n % 3 === 0 ? ["y", "x"] : ["x", "y"];
          return handlers[n % 2]!.command(actor, "Move", { aggregateId: from!, to: to!, amount: 3 });
        });
        const settled = await Promise.allSettled(sent);
        for (const result of settled)
          if (result.status === "rejected") expect(Err.is(result.reason, "precondition"), String(result.reason)).to.equal(true);
        const reader = walletsOn(ground);
        const [x, y] = [await reader.load(actor, Wallet, "x"), await reader.load(actor, Wallet, "y")];
        expect(x!.balance + y!.balance).to.equal(20);
        expect(x!.balance).to.be.at.least(0);
        const moved = settled.filter(({ status }) => status === "fulfilled").length;
        expect((await readAll(ground, ground.tenant)).commits.length).to.equal(2 + 2 * moved);
      },
    },
    {
      title: "decides again when an aggregate that it read changes meanwhile",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const [left, right] = [walletsOn(ground), walletsOn(ground)];
        await left.command(actor, "Deposit", { amount: 1, aggregateId: "rate" });
        await left.command(actor, "Compare", { aggregateId: "w", with: "rate" });
        for (let n = 2; n < 6; n++) {
          await right.command(actor, "Deposit", { amount: 1, aggregateId: "rate" });
          expect((await left.command(actor, "Compare", { aggregateId: "w", with: "rate" })).aggregate.balance).to.equal(n);
        }
      },
    },
    {
      title: "keeps the tenants' warm states apart",
      check: async (ground) => {
        const { tenant, newTenant, store } = ground;
        const other = newTenant();
        const handler = walletsOn(ground);
        await handler.command(tellerOf(tenant), "Deposit", { amount: 5, aggregateId: "w" });
        await handler.command(tellerOf(other), "Deposit", { amount: 7, aggregateId: "w" });
        expect((await handler.command(tellerOf(tenant), "Deposit", { amount: 1, aggregateId: "w" })).aggregate.balance).to.equal(
          6,
        );
        expect((await handler.load(tellerOf(other), Wallet, "w"))?.balance).to.equal(7);
        expect(await versionOf(store, other, "w", WALLET)).to.equal(0);
      },
    },
    {
      title: "keeps the warm states of two types with the same id apart",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const handler = walletsOn(ground);
        for (let n = 1; n <= 3; n++) {
          expect((await handler.command(actor, "Deposit", { amount: 5, aggregateId: "w" })).aggregate).to.include({
            balance: 5 * n,
          });
          const { aggregate } = await handler.command(actor, "Fill", { coins: 1, aggregateId: "w" });
          expect(aggregate).to.include({ coins: n, aggregateVersion: n - 1 });
        }
      },
    },
    {
      title: "refuses commands of a suspended tenant, warm and cold, and goes on when it is opened",
      check: async (ground) => {
        const { tenant, store } = ground;
        const actor = tellerOf(tenant);
        const handler = walletsOn(ground);
        await handler.command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        await store.suspend(tenant);
        for (const who of [handler, walletsOn(ground)]) {
          const error = await rejects(TenantError, who.command(actor, "Deposit", { amount: 1, aggregateId: "w" }));
          expect(error.status).to.equal("suspended");
        }
        await store.open(tenant);
        expect((await handler.command(actor, "Deposit", { amount: 1, aggregateId: "w" })).aggregate.balance).to.equal(2);
      },
    },
    {
      title: "brings nothing of an erased tenant back through a warm handler",
      check: async (ground) => {
        const { tenant, store, clock } = ground;
        const actor = tellerOf(tenant);
        const handler = walletsOn(ground);
        for (let n = 0; n < 3; n++) await handler.command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        await store.erase(tenant);
        const error = await rejects(TenantError, handler.command(actor, "Deposit", { amount: 1, aggregateId: "w" }));
        expect(error.status).to.equal("erased");
        expect(await versionOf(store, tenant, "w", WALLET)).to.equal(-1);
        clock.turn(60 * 60 * 1000);
        await store.open(tenant);
        expect((await handler.command(actor, "Deposit", { amount: 5, aggregateId: "w" })).aggregate).to.include({
          balance: 5,
          aggregateVersion: 0,
        });
      },
    },
    {
      title: "decides anew, without a hole, where an older export was put back under a warm handler",
      check: async (ground) => {
        const { tenant, store } = ground;
        const actor = tellerOf(tenant);
        const handler = walletsOn(ground);
        await handler.command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        const backup = await exportAll(store, tenant);
        for (let n = 0; n < 4; n++) await handler.command(actor, "Deposit", { amount: 1, aggregateId: "w" });
        await store.erase(tenant);
        await store.import(tenant, stream(backup));
        const { aggregate } = await handler.command(actor, "Deposit", { amount: 10, aggregateId: "w" });
        expect(aggregate).to.include({ balance: 11, aggregateVersion: 1 });
        expect(await versionOf(store, tenant, "w", WALLET)).to.equal(1);
        expect((await readAll(ground, tenant)).commits.map(({ version }) => version)).to.deep.equal([0, 1]);
      },
    },
  ],
};
