import { expect } from "chai";
import {
  CommandHandler,
  ConcurrencyError,
  ERASED_NAME_REST,
  type IEventStore,
  type JsonObject,
  type StoredEvent,
  StreamReader,
  TenantError,
  ValidationError,
} from "../../core/index.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";
import type { Facet, Ground } from "./clause.ts";
import { pending } from "./pending.ts";
import { exportAll, readAll, stream } from "./reading.ts";
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
  const drain = () => warm.command(actor, "Drain", { aggregateId: "w" });
  await deposit(2);
  await deposit(3);
  return { actor, operator, deposit, drain, redact: () => operator.redact(tenant, Wallet, "w", nothingPaid) };
}

/** An operator on a store where something happens, once, just after the events were rewritten. */
function interrupted({ store, clock }: Ground, happen: () => Promise<unknown>, Type: typeof Wallet = Wallet) {
  let isOver = false;
  const own: Partial<IEventStore> = {
    redact: async (...parameters) => {
      const count = await store.redact(...parameters);
      if (!isOver) await happen();
      isOver = true;
      return count;
    },
  };
  return new CommandHandler(intercepted(store, own), [Type], { platform: clock });
}

/** What the wallet's payments say. */
async function amounts({ store, tenant }: Ground) {
  const { commits } = await store.load({ tenant, type: WALLET, id: "w" }, { after: -1 });
  return commits.map(({ events }) => events[0]?.payload.amount);
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
      title: "keeps no snapshot that somebody wrote while the events were being rewritten",
      unopened: true,
      check: async (ground) => {
        const { actor, deposit } = await scene(ground);
        const late = async () => expect((await deposit(10)).aggregate.balance).to.equal(15);
        const operator = interrupted(ground, late, SeldomKept);
        expect(await operator.redact(ground.tenant, SeldomKept, "w", nothingPaid)).to.equal(3);
        expect(await balances(ground)).to.deep.equal({ found: 0, kept: 0 });
        expect((await deposit(1)).aggregate.balance).to.equal(1);
        expect((await operator.recalculate(actor, SeldomKept, "w")).snapshot).to.equal("equal");
      },
    },
    {
      title: "rewrites also what somebody took from the old state while the events were being rewritten",
      unopened: true,
      check: async (ground) => {
        const { deposit, drain } = await scene(ground);
        await deposit(95);
        const operator = interrupted(ground, drain);
        const count = await operator.redact(ground.tenant, Wallet, "w", nothingPaid);
        expect(await amounts(ground)).to.deep.equal([0, 0, 0, 0, undefined]);
        expect(count).to.equal(4);
      },
    },
    {
      title: "trusts no snapshot from before a note",
      unopened: true,
      check: async (ground) => {
        const { actor, operator, deposit } = await scene(ground);
        const { store, tenant } = ground;
        await store.redact({ tenant, type: WALLET, id: "w" }, nothingPaid, 1);
        await deposit(10);
        await store.commit(tenant, [pending({ type: WALLET, id: "w", version: 3, events: [] }, { command: "redact" })]);
        expect(await balances(ground)).to.deep.equal({ found: 10, kept: 15 });
        expect((await operator.recalculate(actor, Wallet, "w")).snapshot).to.equal("none");
        await deposit(1);
        expect(await balances(ground)).to.deep.equal({ found: 11, kept: 11 });
      },
    },
    {
      title: "notes nothing in the next life of a tenant that was erased meanwhile",
      unopened: true,
      check: async (ground) => {
        await scene(ground);
        const { store, tenant, clock } = ground;
        const operator = interrupted(ground, async () => {
          await store.erase(tenant);
          clock.turn(ERASED_NAME_REST + 1_000);
          await store.open(tenant);
        });
        expect(await operator.redact(tenant, Wallet, "w", nothingPaid)).to.equal(0);
        expect((await readAll(ground, tenant)).commits).to.deep.equal([]);
      },
    },
    {
      title: "begins again where the tenant was erased and restored meanwhile",
      unopened: true,
      check: async (ground) => {
        await scene(ground);
        const { store, tenant } = ground;
        const backup = await exportAll(store, tenant);
        const operator = interrupted(ground, async () => {
          await store.erase(tenant);
          await store.import(tenant, stream(backup));
        });
        expect(await operator.redact(tenant, Wallet, "w", nothingPaid)).to.equal(2);
        expect(await amounts(ground)).to.deep.equal([0, 0, undefined]);
      },
    },
    {
      title: "writes nothing where the class could not be folded from what the redactor gives",
      unopened: true,
      check: async (ground) => {
        const { operator } = await scene(ground);
        const { tenant } = ground;
        const error = await rejects(
          ValidationError,
          operator.redact(tenant, Wallet, "w", () => ({})),
        );
        expect(error.message).to.include("balance");
        expect(await amounts(ground)).to.deep.equal([2, 3]);
        expect(await balances(ground)).to.deep.equal({ found: 5, kept: 5 });
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
