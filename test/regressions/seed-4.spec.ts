import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  ConcurrencyError,
  Err,
  type EventOf,
  StoreError,
  StreamReader,
} from "../../core/index.ts";
import { Post, User } from "../../examples/blog/index.ts";
import { SummingCalculator, Totals } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollDuring, pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

/** Copies another note, or many at once; and writes on several in one transaction. */
class Note extends Aggregate<{ Written: { text: string } }> {
  static readonly path = "/notes";
  static readonly access = "tenant";
  text = "";
  get commands() {
    return {
      Write: (context: CommandContext<Note, { text: string }>) => context.push("Written"),
      Copy: async (context: CommandContext<Note, { from: readonly string[] }>) => {
        const notes = await Promise.all(context.payload.from.map((id) => context.load(Note, id)));
        context.push("Written", { text: notes.map(({ text }) => text).join("+") });
      },
      WriteAll: async (context: CommandContext<Note, { text: string; to: readonly string[] }>) => {
        const { text, to } = context.payload;
        for (const id of to) await context.append(Note, id, "Written", { text });
      },
    };
  }
  get events() {
    return {
      Written: ({ payload }: EventOf<Note, "Written">) => {
        this.text = payload.text;
      },
    };
  }
}

onEveryStore("Seed 4 (evtstore)", (stage) => {
  it("ran B's command on A", async () => {
    const handler = new CommandHandler(stage.store, [User, Post]);
    const actor = actorOf(stage.newTenant(), "ada");
    await handler.command(actor, "CreateUser", { name: "Ada", aggregateId: "ada" });
    const post = await handler.command(actor, "CreatePost", { title: "T", body: "B", aggregateId: "ada" });
    expect([post.aggregateType, post.aggregate.aggregateVersion, post.aggregate.title]).to.deep.equal(["posts", 0, "T"]);
    expect(post.aggregate).to.be.instanceOf(Post);
    const user = await handler.command(actor, "DisableUser", { aggregateId: "ada" });
    expect([user.aggregateType, user.aggregate.aggregateVersion, user.aggregate.isEnabled]).to.deep.equal(["users", 1, false]);
    expect((await handler.history(actor, Post, "ada")).map(({ events }) => events[0]?.name)).to.deep.equal(["PostCreated"]);
  });

  it("let three concurrent commands all succeed with version 1", async () => {
    const actor = actorOf(stage.newTenant());
    const handlers = Array.from({ length: 3 }, () => new CommandHandler(stage.store, [SummingCalculator]));
    const add = (handler: (typeof handlers)[number], expectedVersion?: number) =>
      handler.command(actor, "AddNumbers", {
        number1: 1,
        number2: 0,
        aggregateId: "calc",
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
      });
    await add(handlers[0]!);
    const chosen = await Promise.allSettled(handlers.map((handler) => add(handler, 0)));
    expect(chosen.filter(({ status }) => status === "fulfilled")).to.have.length(1);
    for (const outcome of chosen) {
      if (outcome.status === "fulfilled") continue;
      expect(outcome.reason).to.be.instanceOf(ConcurrencyError);
      expect(outcome.reason).to.include({ expected: 0, actual: 1 });
    }
    const free = await Promise.all(handlers.map((handler) => add(handler)));
    expect(free.map(({ aggregate }) => aggregate.aggregateVersion).sort()).to.deep.equal([2, 3, 4]);
    expect(free.map(({ aggregate }) => aggregate.sum).sort()).to.deep.equal([3, 4, 5]);
  });

  it("handled everything twice with two instances on one bookmark", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = new CommandHandler(stage.store, [SummingCalculator]);
    for (let count = 0; count < 30; count++) {
      await handler.command(actor, "AddNumbers", { number1: 1, number2: 0, aggregateId: "calc" });
    }
    const handled: number[] = [];
    const counter = {
      name: "counter",
      events: {
        NumbersAdded: async (_tenant: string, _event: unknown, commit: { version: number }) => {
          await setImmediate();
          handled.push(commit.version);
        },
      },
    };
    const handlers = [counter, new Totals()];
    const instances = [1, 2].map(() => new StreamReader(stage.store, { platform: stage.clock }));
    await Promise.all(instances.map((reader) => pollUntilIdle(reader, actor.tenant, "thread", handlers, { limit: 4 })));
    expect(handled).to.deep.equal(Array.from({ length: 30 }, (_, version) => version));
    expect(await instances[0]!.views(actor.tenant, new Totals()).get("calc")).to.deep.equal({ sum: 30, steps: 30 });
  });

  it("lost positions that became visible out of order: here a reader follows 8 writers on 8 aggregates", async () => {
    const actor = actorOf(stage.newTenant());
    const reader = new StreamReader(stage.store, { platform: stage.clock });
    const totals = new Totals();
    const writing = Array.from({ length: 8 }, async (_, writer) => {
      const handler = new CommandHandler(stage.store, [SummingCalculator]);
      for (let count = 0; count < 15; count++) {
        await handler.command(actor, "AddNumbers", { number1: count, number2: 0, aggregateId: `calc${writer}` });
      }
    });
    await pollDuring(Promise.all(writing), () => reader.poll(actor.tenant, "thread", [totals], { limit: 7 }));
    await pollUntilIdle(reader, actor.tenant, "thread", [totals]);
    const { views } = await reader.views(actor.tenant, totals).list();
    expect(views).to.have.length(8);
    for (const { value } of views) expect(value).to.deep.equal({ sum: 105, steps: 15 });
  });

  it("took every error of the database for a version conflict, with an expected version too", async () => {
    const actor = actorOf(stage.newTenant());
    const to = { number1: 1, number2: 0, aggregateId: "calc" };
    await new CommandHandler(stage.store, [SummingCalculator]).command(actor, "AddNumbers", to);
    const taken = Object.assign(new Error("UNIQUE constraint failed: bookmarks.name"), { code: "SQLITE_CONSTRAINT" });
    for (const failure of [taken, new Error("deadlock detected"), new StoreError("no room", { retryable: true })]) {
      for (const method of ["load", "commit"] as const) {
        const failing = intercepted(stage.store, { [method]: () => Promise.reject(failure) });
        for (const expected of [{}, { expectedVersion: 0 }]) {
          const sent = new CommandHandler(failing, [SummingCalculator]).command(actor, "AddNumbers", { ...to, ...expected });
          expect(await rejects(Error, sent)).to.equal(failure);
        }
      }
    }
    const calculator = await new CommandHandler(stage.store, [SummingCalculator]).load(actor, SummingCalculator, "calc");
    expect([calculator?.sum, calculator?.aggregateVersion]).to.deep.equal([1, 0]);
  });

  it("trusted a stale kept state", async () => {
    const actor = actorOf(stage.newTenant());
    const [stale, busy] = [1, 2].map(() => new CommandHandler(stage.store, [SummingCalculator]));
    const add = (handler: typeof stale, number1: number) =>
      handler!.command(actor, "AddNumbers", { number1, number2: 0, aggregateId: "calc" });
    await add(stale, 1);
    for (let count = 0; count < 5; count++) await add(busy, 10);
    const { aggregate } = await add(stale, 100);
    expect([aggregate.sum, aggregate.aggregateVersion]).to.deep.equal([151, 6]);
    expect((await stale!.recalculate(actor, SummingCalculator, "calc")).snapshot).to.not.equal("different");
  });

  it("could not copy another aggregate, or query many at once, inside a command", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = new CommandHandler(stage.store, [Note]);
    const from = Array.from({ length: 16 }, (_, number) => `note${number}`);
    for (const aggregateId of from) await handler.command(actor, "Write", { text: aggregateId, aggregateId });
    const { aggregate } = await handler.command(actor, "Copy", { from });
    expect(aggregate.text).to.equal(from.join("+"));
    const tooMany = await rejects(Err, handler.command(actor, "Copy", { from: [...from, "note16"] }));
    expect([tooMany.code, tooMany.message]).to.deep.equal([
      "validation",
      "17 aggregates are verified by one command, at most 16 are allowed: split the command",
    ]);
  });

  it("could not write several aggregates in one transaction", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = new CommandHandler(stage.store, [Note]);
    const to = Array.from({ length: 16 }, (_, number) => `note${number}`);
    const context = await handler.command(actor, "WriteAll", { text: "all", to, aggregateId: "note0" });
    for (const id of to) {
      const [commit, ...others] = await handler.history(actor, Note, id);
      expect([commit?.commitId, others.length]).to.deep.equal([context.commitId, 0]);
    }
    const tooMany = await rejects(
      Err,
      handler.command(actor, "WriteAll", { text: "!", to: [...to, "note16"], aggregateId: "note0" }),
    );
    expect([tooMany.code, tooMany.message]).to.deep.equal([
      "validation",
      "17 aggregates are written by one command, at most 16 are allowed: split the command",
    ]);
    expect((await handler.load(actor, Note, "note0"))?.text).to.equal("all");
    expect(await handler.load(actor, Note, "note16")).to.equal(undefined);
  });
});
