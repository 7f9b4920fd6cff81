import { expect } from "chai";
import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  ConcurrencyError,
  type EventOf,
  StreamReader,
} from "../../core/index.ts";
import { EventCounter, SummingCalculator, Totals } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

class UnsnappedCalculator extends SummingCalculator {
  static override readonly path = "/unsnapped-calculators";
  static readonly snapshot = false;
}

class Witness extends Aggregate<{ Witnessed: { version: number; sum: number } }> {
  static readonly path = "/witnesses";
  static readonly access = "tenant";
  version = -1;
  sum = 0;
  get commands() {
    return {
      Witness: async (context: CommandContext<Witness, { calculator: string }>) => {
        const { aggregateVersion, sum } = await context.load(SummingCalculator, context.payload.calculator);
        context.push("Witnessed", { version: aggregateVersion, sum });
      },
    };
  }
  get events() {
    return {
      Witnessed: ({ payload }: EventOf<Witness, "Witnessed">) => {
        this.version = payload.version;
        this.sum = payload.sum;
      },
    };
  }
}

onEveryStore("The summing calculator", (stage) => {
  const handlerOf = () => new CommandHandler(stage.store, [SummingCalculator, Witness]);

  it("adds 1+2, 3+4 and 1+1 to 12 at version 2, and three events are counted", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    await handler.command(actor, "AddNumbers", { number1: 1, number2: 2, aggregateId: "calc123" });
    await handler.command(actor, "AddNumbers", { number1: 3, number2: 4, aggregateId: "calc123" });
    const context = await handler.command(actor, "AddNumbers", { number1: 1, number2: 1, aggregateId: "calc123" });
    expect(context.aggregate.aggregateId).to.equal("calc123");
    expect(context.aggregate.aggregateVersion).to.equal(2);
    expect(context.aggregate.sum).to.equal(12);
    const counter = new EventCounter();
    await pollUntilIdle(new StreamReader(stage.store), actor.tenant, "thread", [counter]);
    expect(counter.count).to.equal(3);
  });

  it("generates an id and goes on at the returned version: sum 10 at version 1, then refuses version 0", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    let context = await handler.command(actor, "AddNumbers", { number1: 1, number2: 2 });
    const { aggregateId } = context;
    expect(context.aggregate.aggregateVersion).to.equal(0);
    context = await handler.command(actor, "AddNumbers", {
      number1: 3,
      number2: 4,
      aggregateId,
      expectedVersion: context.aggregate.aggregateVersion,
    });
    expect(context.aggregateId).to.equal(aggregateId);
    expect(context.aggregate.aggregateVersion).to.equal(1);
    expect(context.aggregate.sum).to.equal(10);
    const third = handler.command(actor, "AddNumbers", { number1: 1, number2: 2, aggregateId, expectedVersion: 0 });
    const error = await rejects(ConcurrencyError, third);
    expect(error.expected).to.equal(0);
    expect(error.actual).to.equal(1);
    expect(error.address).to.deep.equal({ tenant: actor.tenant, type: "summing-calculators", id: aggregateId });
    expect((await handler.load(actor, SummingCalculator, aggregateId))?.sum).to.equal(10);
  });

  it("chains 13 commands by expectedVersion on calc9: sum 13 at version 12", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    const target = { number1: 1, number2: 0, aggregateId: "calc9" };
    let context = await handler.command(actor, "AddNumbers", { ...target, expectedVersion: -1 });
    for (let count = 1; count < 13; count++) {
      context = await handler.command(actor, "AddNumbers", { ...target, expectedVersion: context.aggregate.aggregateVersion });
    }
    expect(context.aggregate.aggregateVersion).to.equal(12);
    expect(context.aggregate.sum).to.equal(13);
  });

  it("subtracts too", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    const { aggregateId } = await handler.command(actor, "AddNumbers", { number1: 10, number2: 5 });
    const { aggregate } = await handler.command(actor, "SubtractNumbers", { number1: 4, number2: 1, aggregateId });
    expect(aggregate.sum).to.equal(10);
  });

  it("loads from events where it has no snapshots: sum 12 at version 2", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = new CommandHandler(stage.store, [UnsnappedCalculator]);
    for (const [number1, number2] of [
      [1, 2],
      [3, 4],
      [1, 1],
    ] as const) {
      await handler.command(actor, "AddNumbers", { number1, number2, aggregateId: "calc123" });
    }
    const { snapshot } = await stage.store.load({ tenant: actor.tenant, type: "unsnapped-calculators", id: "calc123" });
    expect(snapshot).to.equal(undefined);
    const loaded = await handler.load(actor, UnsnappedCalculator, "calc123");
    expect(loaded?.sum).to.equal(12);
    expect(loaded?.aggregateVersion).to.equal(2);
  });

  it("generates ids of at least 10 characters, a new one for each aggregate", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    const first = await handler.command(actor, "AddNumbers", { number1: 1, number2: 2 });
    const second = await handler.command(actor, "AddNumbers", { number1: 1, number2: 2 });
    expect(first.aggregateId.length).to.be.at.least(10);
    expect(first.aggregate.sum).to.equal(3);
    expect(second.aggregateId).to.not.equal(first.aggregateId);
  });

  it("shows itself to another aggregate's command: sum 3 at version 1", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    const { aggregateId } = await handler.command(actor, "AddNumbers", { number1: 1, number2: 1 });
    await handler.command(actor, "AddNumbers", { number1: 1, number2: 0, aggregateId });
    const { aggregate } = await handler.command(actor, "Witness", { calculator: aggregateId });
    expect(aggregate.version).to.equal(1);
    expect(aggregate.sum).to.equal(3);
  });

  it("is kept as totals by a projection, tenant by tenant", async () => {
    const reader = new StreamReader(stage.store);
    const handler = handlerOf();
    const [one, other] = [actorOf(stage.newTenant()), actorOf(stage.newTenant())];
    await handler.command(one, "AddNumbers", { number1: 1, number2: 2, aggregateId: "a" });
    await handler.command(one, "AddNumbers", { number1: 5, number2: 0, aggregateId: "b" });
    await handler.command(one, "SubtractNumbers", { number1: 1, number2: 0, aggregateId: "a" });
    await handler.command(other, "AddNumbers", { number1: 100, number2: 0, aggregateId: "a" });
    const totals = new Totals();
    for (const { tenant } of [one, other]) await pollUntilIdle(reader, tenant, "views", [totals]);
    expect(await reader.views(one.tenant, totals).get("a")).to.deep.equal({ sum: 2, steps: 2 });
    expect(await reader.views(one.tenant, totals).get("b")).to.deep.equal({ sum: 5, steps: 1 });
    expect(await reader.views(other.tenant, totals).get("a")).to.deep.equal({ sum: 100, steps: 1 });
    expect((await reader.views(other.tenant, totals).list()).views).to.deep.equal([{ id: "a", value: { sum: 100, steps: 1 } }]);
  });
});
