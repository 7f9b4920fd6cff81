import { expect } from "chai";
import { CommandHandler, Err, type PendingCommit, StoreError } from "../../core/index.ts";
import { Account } from "../../examples/bank-account/index.ts";
import { KeyPressCalculator, SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

const numbers = { number1: 1, number2: 0 };

onEveryStore("Seed 1 (the parent), what it wrote wrongly,", (stage) => {
  const handlerOf = () => new CommandHandler(stage.store, [SummingCalculator, KeyPressCalculator, Account]);

  it("1: gave a tenant the state of another, because the cache was keyed by aggregate id alone", async () => {
    const handler = handlerOf();
    const [one, other] = [actorOf(stage.newTenant()), actorOf(stage.newTenant())];
    for (let count = 0; count < 3; count++) {
      await handler.command(one, "AddNumbers", { number1: 10, number2: 0, aggregateId: "calc" });
      await handler.command(other, "AddNumbers", { number1: 1, number2: 0, aggregateId: "calc" });
    }
    expect((await handler.load(one, SummingCalculator, "calc"))?.sum).to.equal(30);
    expect((await handler.load(other, SummingCalculator, "calc"))?.sum).to.equal(3);
    const { snapshot } = await stage.store.load({ tenant: other.tenant, type: "summing-calculators", id: "calc" });
    expect(snapshot?.state ?? { sum: 3 }).to.deep.equal({ sum: 3 });
  });

  it("8: reported permission and network errors as conflicts, as seed 4 did every error of a database", async () => {
    const actor = actorOf(stage.newTenant());
    for (const error of [new StoreError("no permission", { retryable: false }), new Error("ECONNRESET")]) {
      let calls = 0;
      const broken = intercepted(stage.store, {
        commit: () => {
          calls++;
          return Promise.reject(error);
        },
      });
      const sent = new CommandHandler(broken, [SummingCalculator]).command(actor, "AddNumbers", { ...numbers, aggregateId: "c" });
      expect(await rejects(Error, sent)).to.equal(error);
      expect(calls).to.equal(1);
    }
    expect(await handlerOf().load(actor, SummingCalculator, "c")).to.equal(undefined);
  });

  it("9: mixed the states of two aggregate types with the same id", async () => {
    const handler = handlerOf();
    const actor = actorOf(stage.newTenant());
    const to = { aggregateId: "same" };
    await handler.command(actor, "AddNumbers", { number1: 5, number2: 0, ...to });
    await handler.command(actor, "PressDigit", { digit: "7", ...to });
    await handler.command(actor, "AddNumbers", { number1: 1, number2: 0, ...to });
    const { aggregate } = await handler.command(actor, "PressDigit", { digit: "1", ...to });
    expect([aggregate.result, aggregate.aggregateVersion]).to.deep.equal([71, 1]);
    const summing = await handler.load(actor, SummingCalculator, "same");
    expect([summing?.sum, summing?.aggregateVersion]).to.deep.equal([6, 1]);
  });

  it("10: kept a rejected command's changes in the cache, and wrote them into the next snapshot", async () => {
    const handler = handlerOf();
    const actor = actorOf(stage.newTenant());
    const to = { aggregateId: "account" };
    await handler.command(actor, "OpenAccount", { owner: "ada", ...to });
    // The first amount is booked on the instance before the second is refused.
    const refused = handler.command(actor, "RecordTransactions", { amounts: [500, -5000], ...to });
    expect((await rejects(Err, refused)).code).to.equal("precondition");
    const { aggregate } = await handler.command(actor, "RecordTransactions", { amounts: [1], ...to });
    expect(aggregate.balance).to.equal(1);
    const { aggregate: folded, snapshot } = await handler.recalculate(actor, Account, "account");
    expect(folded.balance).to.equal(1);
    expect(snapshot).to.not.equal("different");
    expect((await handlerOf().load(actor, Account, "account"))?.balance).to.equal(1);
  });

  it("11: let an older snapshot overwrite a newer one", async () => {
    const handlers = [handlerOf(), handlerOf(), handlerOf(), handlerOf()];
    const actor = actorOf(stage.newTenant());
    const address = { tenant: actor.tenant, type: "summing-calculators", id: "calc" };
    await Promise.all(
      Array.from({ length: 24 }, (_, count) =>
        handlers[count % 4]!.command(actor, "AddNumbers", { ...numbers, aggregateId: "calc" }),
      ),
    );
    const { snapshot, commits } = await stage.store.load(address);
    const last = commits.at(-1)?.version ?? snapshot?.version;
    expect(last).to.equal(23);
    if (snapshot !== undefined) expect(snapshot.state).to.deep.equal({ sum: snapshot.version + 1 });
    expect((await handlerOf().load(actor, SummingCalculator, "calc"))?.sum).to.equal(24);
  });

  it("let 32 writers of one tenant finish 27 of 160 commands in 96 s, by racing for one counter document", async () => {
    const actor = actorOf(stage.newTenant());
    const retries: number[] = [];
    const writers = Array.from({ length: 32 }, (_, writer) => ({ aggregateId: `calc${writer}`, handler: handlerOf() }));
    await Promise.all(
      writers.map(async ({ aggregateId, handler }) => {
        for (let count = 0; count < 5; count++) {
          const { aggregate } = await handler.command(actor, "AddNumbers", {
            ...numbers,
            aggregateId,
            expectedVersion: count - 1,
          });
          retries.push(aggregate.aggregateVersion - count);
        }
      }),
    );
    // With an expected version nothing is retried: none of the 160 ever conflicted.
    expect(retries).to.deep.equal(Array.from({ length: 160 }, () => 0));
  });

  it("reported its own event as already there when the reply was cut after the commit", async () => {
    const actor = actorOf(stage.newTenant());
    const sent: PendingCommit[] = [];
    const cut = intercepted(stage.store, {
      commit: async (tenant, pending) => {
        sent.push(...pending);
        await stage.store.commit(tenant, pending);
        throw new StoreError("the reply was cut", { retryable: true, outcome: "unknown" });
      },
    });
    await stage.store.open(actor.tenant);
    const command = { ...numbers, aggregateId: "calc" };
    const options = { commandId: "once" };
    const lost = new CommandHandler(cut, [SummingCalculator]).command(actor, "AddNumbers", command, options);
    expect((await rejects(StoreError, lost)).outcome).to.equal("unknown");
    // The adapter resends the identical write: it is its own.
    const [outcome] = await stage.store.commit(actor.tenant, sent.slice(0, 1));
    expect(outcome?.status).to.equal("committed");
    // The caller resends the command: it gets the first result.
    const context = await handlerOf().command(actor, "AddNumbers", command, options);
    expect([context.replayed, context.aggregate.sum, context.aggregate.aggregateVersion]).to.deep.equal([true, 1, 0]);
    expect(await handlerOf().history(actor, SummingCalculator, "calc")).to.have.length(1);
  });
});
