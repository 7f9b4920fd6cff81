import { expect } from "chai";
import {
  CommandHandler,
  ConcurrencyError,
  type IEventStore,
  type JsonObject,
  type StoredEvent,
  StreamReader,
  TenantError,
} from "../../core/index.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";
import type { Facet, Ground } from "./clause.ts";
import { readAll } from "./reading.ts";
import { Bookkeeper, tellerOf, WALLET, Wallet, walletsOn } from "./wallet.ts";

/** As if nothing had ever been paid. */
const nothingPaid = ({ payload }: StoredEvent): JsonObject => ({ ...payload, amount: 0 });

/** Wallets of which a snapshot is not due at the version of the note. */
class SeldomKept extends Wallet {
  static readonly snapshot = { every: 100 };
}

/** A handler that has paid 5 into a wallet and remembers it, and another process's. */
async function scene(ground: Ground) {
  const { store, tenant } = ground;
  await store.open(tenant);
  const actor = tellerOf(tenant);
  const [warm, operator] = [walletsOn(ground), walletsOn(ground)];
  const deposit = (amount: number, expectedVersion?: number) =>
    warm.command(actor, "Deposit", {
      aggregateId: "w",
      amount,
      ...(expectedVersion !== undefined && { expectedVersion }),
    });
  await deposit(2);
  await deposit(3);
  return { actor, operator, deposit, redact: () => operator.redact(tenant, Wallet, "w", nothingPaid) };
}

/** The store, where another process commits on the old state just before a redaction is noted. */
function racing({ store }: Ground, commit: () => Promise<unknown>, own: Partial<IEventStore> = {}): IEventStore {
  return intercepted(store, {
    redact: async (...parameters) => {
      const count = await store.redact(...parameters);
      await commit();
      return count;
    },
    ...own,
  });
}

/** The balance as somebody finds it who remembers nothing, and the one that is kept as a snapshot. */
async function balances(ground: Ground) {
  const { tenant, store } = ground;
  const found = await walletsOn(ground).load(tellerOf(tenant), Wallet, "w");
  const { snapshot } = await store.load({ tenant, type: WALLET, id: "w" });
  return { found: found?.balance, kept: snapshot?.state.balance };
}

/** What the engine promises of redacting an aggregate, on every store: nobody brings back what was removed. */
export const engineRedaction: Facet = {
  name: "redacting",
  clauses: [
    {
      title: "lets nobody write the old state back who still has it in memory",
      unopened: true,
      check: async (ground) => {
        const { deposit, redact } = await scene(ground);
        expect(await redact()).to.equal(2);
        expect((await deposit(10)).aggregate.balance).to.equal(10);
        expect(await balances(ground)).to.deep.equal({ found: 10, kept: 10 });
      },
    },
    {
      title: "keeps no snapshot, and trusts none, that somebody wrote while the events were being rewritten",
      unopened: true,
      check: async (ground) => {
        const { actor, deposit } = await scene(ground);
        const store = racing(ground, async () => expect((await deposit(10)).aggregate.balance).to.equal(15));
        const operator = new CommandHandler(store, [SeldomKept], { platform: ground.clock });
        expect(await operator.redact(ground.tenant, SeldomKept, "w", nothingPaid)).to.equal(2);
        expect(await balances(ground)).to.deep.equal({ found: 10, kept: 10 });
        expect((await deposit(1)).aggregate.balance).to.equal(11);
        expect((await operator.recalculate(actor, SeldomKept, "w")).snapshot).to.equal("equal");
      },
    },
    {
      title: "trusts no snapshot from before its note where the note's own was not kept, as where it is too large",
      unopened: true,
      check: async (ground) => {
        const { actor, deposit } = await scene(ground);
        const store = racing(ground, () => deposit(10), {
          commit: (tenant, pending) =>
            ground.store.commit(
              tenant,
              pending.map((commit) => ({ ...commit, writes: commit.writes.map(({ snapshot: _, ...write }) => write) })),
            ),
        });
        const operator = new CommandHandler(store, [Wallet], { platform: ground.clock });
        await operator.redact(ground.tenant, Wallet, "w", nothingPaid);
        expect(await balances(ground)).to.deep.equal({ found: 10, kept: 15 });
        expect((await operator.recalculate(actor, Wallet, "w")).snapshot).to.equal("none");
        await deposit(1);
        expect(await balances(ground)).to.deep.equal({ found: 11, kept: 11 });
      },
    },
    {
      title: "takes the aggregate's next version for a note without events, which conflicts with what was decided before it",
      unopened: true,
      check: async (ground) => {
        const { actor, operator, deposit, redact } = await scene(ground);
        await redact();
        const error = await rejects(ConcurrencyError, deposit(1, 1));
        expect([error.expected, error.actual]).to.deep.equal([1, 2]);
        const history = await operator.history(actor, Wallet, "w");
        expect(history.map(({ version, command, events }) => [version, command, events.length])).to.deep.equal([
          [0, "Deposit", 1],
          [1, "Deposit", 1],
          [2, "redact", 0],
        ]);
        expect(history.map(({ redactedAt }) => redactedAt !== undefined)).to.deep.equal([true, true, false]);
        expect((await operator.load(actor, Wallet, "w", { version: 2 }))?.balance).to.equal(0);
      },
    },
    {
      title: "hands no event over for its note, and stops no reader at it",
      unopened: true,
      check: async (ground) => {
        const { actor, deposit, redact } = await scene(ground);
        await redact();
        await deposit(4);
        const { store, tenant, clock } = ground;
        const { next } = await readAll(ground, tenant);
        const reader = new StreamReader(store, { platform: clock });
        const books = new Bookkeeper();
        let handled = 0;
        for (let more = true; more; ) {
          const result = await reader.poll(tenant, "main", [books], { limit: 1 });
          handled += result.handled;
          more = result.cursors.Bookkeeper !== next;
          if (result.status === "waiting") clock.turn(15_000);
        }
        expect(handled).to.equal(3);
        expect(await reader.views(actor.tenant, books).get("w")).to.deep.equal({ balance: 4, payments: 3 });
      },
    },
    {
      title: "rewrites a suspended tenant's events, then asks for it to be opened; a second call is noted",
      unopened: true,
      check: async (ground) => {
        const { deposit, redact } = await scene(ground);
        const { store, tenant } = ground;
        await store.suspend(tenant);
        const error = await rejects(TenantError, redact());
        expect(error.message).to.equal(`tenant ${tenant} is suspended: open it again first`);
        const { commits } = await store.load({ tenant, type: WALLET, id: "w" }, { after: -1 });
        expect(commits.map(({ events }) => events[0]?.payload)).to.deep.equal([{ amount: 0 }, { amount: 0 }]);
        await store.open(tenant);
        expect(await redact()).to.equal(2);
        expect((await deposit(10)).aggregate.balance).to.equal(10);
      },
    },
    {
      title: "writes nothing where there is no aggregate",
      unopened: true,
      check: async (ground) => {
        const { operator } = await scene(ground);
        const { tenant } = ground;
        expect(await operator.redact(tenant, Wallet, "nobody", nothingPaid)).to.equal(0);
        expect((await readAll(ground, tenant)).commits.map(({ id }) => id)).to.deep.equal(["w", "w"]);
        expect(await operator.redact(ground.newTenant(), Wallet, "w", nothingPaid)).to.equal(0);
      },
    },
  ],
};
