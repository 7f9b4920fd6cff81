import { expect } from "chai";
import { CommandHandler, StreamReader } from "../../core/index.ts";
import { EventCounter, SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { onEveryStore } from "../support/stores.ts";

onEveryStore("Threads and their handlers", (stage) => {
  it("keep cursors of their own: every counter of the parent's story comes out", async () => {
    const actor = actorOf(stage.newTenant());
    const handlers = [1, 2].map(() => new CommandHandler(stage.store, [SummingCalculator]));
    const reader = new StreamReader(stage.store);
    const [counter11, counter21, counter31, counter41, counter51, counter61, counter71] = [11, 21, 31, 41, 51, 61, 71].map(
      (number) => new EventCounter(`counter${number}`),
    ) as [EventCounter, EventCounter, EventCounter, EventCounter, EventCounter, EventCounter, EventCounter];
    const add = async (times: number, by = handlers.slice(0, 1)) => {
      for (let count = 0; count < times; count++) {
        const handler = by[count % by.length]!;
        await handler.command(actor, "AddNumbers", { number1: 1, number2: 2, aggregateId: "calc" });
      }
    };
    const poll = (thread: string, ...counters: EventCounter[]) => pollUntilIdle(reader, actor.tenant, thread, counters);

    await add(3);
    expect(await poll("thread-x", counter11)).to.equal(3);
    expect(counter11.count).to.equal(3);

    await add(3);
    await poll("thread-y", counter11, counter21);
    expect(counter11.count).to.equal(9);
    expect(counter21.count).to.equal(6);

    await add(3);
    await poll("thread-x", counter11);
    expect(counter11.count).to.equal(15);

    await add(3);
    await poll("thread-y", counter11, counter21, counter31);
    expect([counter11.count, counter21.count, counter31.count]).to.deep.equal([21, 12, 12]);

    await add(2);
    await poll("thread-1", counter41);
    expect(counter41.count).to.equal(14);

    await add(3, handlers);
    await poll("thread-1", counter51);
    await poll("thread-2", counter61);
    expect([counter51.count, counter61.count]).to.deep.equal([17, 17]);

    await poll("thread-1", counter71);
    await add(1);
    await poll("thread-1", counter71);
    expect(counter71.count).to.equal(18);

    const everybody = [counter11, counter21, counter31, counter41, counter51, counter61, counter71];
    for (const thread of ["thread-x", "thread-y", "thread-1", "thread-2"]) await poll(thread, ...everybody);
    for (const { name, count } of everybody) expect(count, name).to.equal(72);
    expect((await handlers[1]!.load(actor, SummingCalculator, "calc"))?.aggregateVersion).to.equal(17);
  });

  it("come out the same when the seven handlers are polled on the four threads at once", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = new CommandHandler(stage.store, [SummingCalculator]);
    for (let count = 0; count < 18; count++) {
      await handler.command(actor, "AddNumbers", { number1: 1, number2: 2, aggregateId: "calc" });
    }
    const counters = [1, 2, 3, 4, 5, 6, 7].map((number) => new EventCounter(`counter${number}`));
    const threads = ["thread-x", "thread-y", "thread-1", "thread-2"];
    await Promise.all(
      threads.map((thread) => pollUntilIdle(new StreamReader(stage.store), actor.tenant, thread, counters, { limit: 5 })),
    );
    for (const { name, count } of counters) expect(count, name).to.equal(72);
  });
});
