import { expect } from "chai";
import { CommandHandler, type CommitOutcome, type IEventStore, type PendingCommit } from "../../core/index.ts";
import { DelegatingStore } from "../support/delegating-store.ts";
import { gate } from "../support/gate.ts";
import type { Facet } from "./clause.ts";
import { readAll } from "./reading.ts";
import { tellerOf, Wallet, walletsOn } from "./wallet.ts";

/** A store whose commits wait for a promise, so that a burst gathers before the first of it is written. */
class HeldBack extends DelegatingStore {
  readonly #until: Promise<void>;

  constructor(inner: IEventStore, until: Promise<void>) {
    super(inner);
    this.#until = until;
  }

  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    await this.#until;
    return this.inner.commit(tenant, pending);
  }
}

/** What the engine promises of many commands at once, on every store; the kit checks the groups that it makes of them. */
export const engineBursts: Facet = {
  name: "bursts of commands",
  clauses: [
    {
      title: "carries 150 commands on 150 aggregates out, in groups that a store takes",
      check: async (ground) => {
        const handler = walletsOn(ground);
        const ids = Array.from({ length: 150 }, (_, n) => `w${n}`);
        await Promise.all(
          ids.map((aggregateId) => handler.command(tellerOf(ground.tenant), "Deposit", { aggregateId, amount: 1 })),
        );
        expect((await readAll(ground, ground.tenant)).commits.map(({ id }) => id)).to.have.members(ids);
      },
    },
    {
      title: "carries 30 large commands out, in groups that a store takes",
      check: async (ground) => {
        const handler = walletsOn(ground);
        const ids = Array.from({ length: 30 }, (_, n) => `w${n}`);
        const value = "x".repeat(250 * 1024);
        await Promise.all(ids.map((aggregateId) => handler.command(tellerOf(ground.tenant), "Note", { aggregateId, value })));
        expect((await readAll(ground, ground.tenant)).commits.map(({ id }) => id)).to.have.members(ids);
      },
    },
    {
      title: "keeps commands apart that write what another of the burst writes or verifies",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const handler = walletsOn(ground);
        await handler.command(actor, "Deposit", { aggregateId: "rate", amount: 100 });
        const sent = Array.from({ length: 40 }, (_, n) => {
          if (n % 4 === 0) return handler.command(actor, "Deposit", { aggregateId: `w${n}`, amount: 1 });
          if (n % 4 === 1) return handler.command(actor, "Move", { aggregateId: "rate", to: `w${n}`, amount: 1 });
          return handler.command(actor, "Compare", { aggregateId: `w${n}`, with: n % 4 === 2 ? "rate" : `w${n - 2}` });
        });
        await Promise.all(sent);
        const { commits } = await readAll(ground, ground.tenant);
        expect(commits.length).to.equal(1 + 10 + 20 + 20);
        const balances = new Map<string, number>();
        for (const { id, events, command } of commits) {
          const before = balances.get("rate") ?? 0;
          for (const { payload } of events) balances.set(id, (balances.get(id) ?? 0) + (payload.amount as number));
          const isOfRate = command === "Compare" && Number(id.slice(1)) % 4 === 2;
          if (isOfRate) expect(balances.get(id), `${id} took over the rate of its place in the order`).to.equal(before);
        }
        expect((await handler.load(actor, Wallet, "rate"))?.balance).to.equal(90);
      },
    },
    {
      title: "carries each commandId of a burst out once",
      check: async (ground) => {
        const actor = tellerOf(ground.tenant);
        const { clock } = ground;
        const everybodyIsThere = gate();
        const store = new HeldBack(ground.store, everybodyIsThere.passed);
        let digested = 0;
        const digest = async (text: string) => {
          const hash = await clock.digest(text);
          digested += 1;
          if (digested === 40) everybodyIsThere.open();
          return hash;
        };
        const { random, newId } = clock;
        const platform = { random, newId, digest, now: () => clock.now(), sleep: (ms: number) => clock.sleep(ms) };
        const handler = new CommandHandler(store, [Wallet], { platform });
        const sent = Array.from({ length: 40 }, (_, n) =>
          handler.command(actor, "Deposit", { amount: 1 }, { commandId: `k-${n % 8}` }),
        );
        await Promise.all(sent);
        const { commits } = await readAll(ground, ground.tenant);
        expect(commits.map(({ receipt }) => receipt?.commandId)).to.have.members(Array.from({ length: 8 }, (_, n) => `k-${n}`));
      },
    },
  ],
};
