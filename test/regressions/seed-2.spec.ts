import { expect } from "chai";
import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  type EmptyPayload,
  Err,
  type EventOf,
  StoreError,
  ValidationError,
} from "../../core/index.ts";
import { Account } from "../../examples/bank-account/index.ts";
import { actorOf } from "../support/actors.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

/** Pushes as many events as it is told, each followed by one for the world outside; and one event that it never declared. */
class Publisher extends Aggregate<{ Happened: { number: number }; Published: { number: number }; Unknown: EmptyPayload }> {
  static readonly path = "/publishers";
  static readonly access = "tenant";
  happened = 0;
  published = 0;
  get commands() {
    return {
      Publish: (context: CommandContext<Publisher, { times: number }>) => {
        for (let number = 0; number < context.payload.times; number++) {
          context.push("Happened", { number });
          context.push("Published", { number });
        }
      },
      PushUnknown: (context: CommandContext<Publisher>) => {
        context.push("Happened", { number: 1 });
        context.push("Unknown");
      },
    };
  }
  get events() {
    return {
      Happened: () => {
        this.happened++;
      },
      Published: () => {
        this.published++;
      },
    } as unknown as { Happened: () => void; Published: () => void; Unknown: () => void };
  }
}

/** Keeps only the number of its pages, so that its events are much larger than its state. */
class Book extends Aggregate<{ PageWritten: { text: string } }> {
  static readonly path = "/books";
  static readonly access = "tenant";
  pages = 0;
  letters = 0;
  get commands() {
    return { WritePage: (context: CommandContext<Book, { text: string }>) => context.push("PageWritten") };
  }
  get events() {
    return {
      PageWritten: ({ payload }: EventOf<Book, "PageWritten">) => {
        this.pages++;
        this.letters += payload.text.length;
      },
    };
  }
}

onEveryStore("Seed 2 (hde)", (stage) => {
  const handlerOf = () => new CommandHandler(stage.store, [Account, Publisher, Book]);
  const to = { aggregateId: "account" };

  it("let conflicts surface as raw SDK errors, without a retry", async () => {
    const actor = actorOf(stage.newTenant());
    const handlers = [handlerOf(), handlerOf(), handlerOf()];
    await handlers[0]!.command(actor, "OpenAccount", { owner: "ada", ...to });
    await Promise.all(
      Array.from({ length: 12 }, (_, count) =>
        handlers[count % 3]!.command(actor, "RecordTransactions", { amounts: [1], ...to }),
      ),
    );
    const account = await handlerOf().load(actor, Account, "account");
    expect([account?.balance, account?.aggregateVersion]).to.deep.equal([12, 12]);
  });

  it("changed the caller's state although the write had failed", async () => {
    const actor = actorOf(stage.newTenant());
    let isBroken = false;
    const failing = intercepted(stage.store, {
      commit: (tenant, pending) =>
        isBroken ? Promise.reject(new StoreError("no disk", { retryable: true })) : stage.store.commit(tenant, pending),
    });
    const handler = new CommandHandler(failing, [Account]);
    const opened = await handler.command(actor, "OpenAccount", { owner: "ada", ...to });
    isBroken = true;
    const error = await rejects(StoreError, handler.command(actor, "RecordTransactions", { amounts: [100], ...to }));
    expect([error.retryable, error.outcome, error.message]).to.deep.equal([true, "none", "no disk"]);
    expect([opened.aggregate.balance, opened.aggregate.aggregateVersion]).to.deep.equal([0, 0]);
    isBroken = false;
    const { aggregate } = await handler.command(actor, "RecordTransactions", { amounts: [1], ...to });
    expect([aggregate.balance, aggregate.aggregateVersion]).to.deep.equal([1, 1]);
  });

  it("failed at 25 items: 13 events that each publish one", async () => {
    const actor = actorOf(stage.newTenant());
    const context = await handlerOf().command(actor, "Publish", { times: 13, aggregateId: "publisher" });
    expect(context.events).to.have.length(26);
    const [commit, ...others] = await handlerOf().history(actor, Publisher, "publisher");
    expect([commit?.events.length, others.length]).to.deep.equal([26, 0]);
  });

  it("and the limit that there is, 64 events, is an error that says so and writes nothing", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    const { aggregate } = await handler.command(actor, "Publish", { times: 32, aggregateId: "publisher" });
    expect([aggregate.happened, aggregate.published]).to.deep.equal([32, 32]);
    const error = await rejects(ValidationError, handler.command(actor, "Publish", { times: 33, aggregateId: "publisher" }));
    expect(error.code).to.equal("validation");
    expect(error.message).to.match(/65 events are pushed on publishers by one command, at most 64/);
    expect(await handler.history(actor, Publisher, "publisher")).to.have.length(1);
  });

  it("could never recalculate again above 1 MB, because it read one page only", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    const text = "x".repeat(200 * 1024);
    for (let page = 0; page < 7; page++) await handler.command(actor, "WritePage", { text, aggregateId: "book" });
    const { aggregate, snapshot } = await handler.recalculate(actor, Book, "book");
    expect([aggregate.pages, aggregate.letters]).to.deep.equal([7, 7 * text.length]);
    expect(snapshot).to.not.equal("different");
    expect((await handler.history(actor, Book, "book")).map(({ version }) => version)).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
  });

  it("sorted its keys as texts, so that 10 came before 9", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    for (let count = 0; count < 101; count++) await handler.command(actor, "Publish", { times: 1, aggregateId: "publisher" });
    const history = await handler.history(actor, Publisher, "publisher", { limit: 1_000 });
    expect(history.map(({ version }) => version)).to.deep.equal(Array.from({ length: 101 }, (_, version) => version));
    expect((await handler.recalculate(actor, Publisher, "publisher")).aggregate.happened).to.equal(101);
  });

  it("stored events of unknown types", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    const error = await rejects(Err, handler.command(actor, "PushUnknown", { aggregateId: "publisher" }));
    expect([error.code, error.message]).to.deep.equal([
      "integrity",
      "Publisher has no event named Unknown: keep every stored event in its events",
    ]);
    expect(await handler.history(actor, Publisher, "publisher")).to.deep.equal([]);
  });
});
