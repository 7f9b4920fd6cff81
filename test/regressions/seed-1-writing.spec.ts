import { readFile } from "node:fs/promises";
import { expect } from "chai";
import {
  Actor,
  Aggregate,
  type CommandContext,
  CommandHandler,
  ConcurrencyError,
  type EmptyPayload,
  Err,
  type PendingCommit,
  StoreError,
  StreamReader,
} from "../../core/index.ts";
import { Account } from "../../examples/bank-account/index.ts";
import { KeyPressCalculator, SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";
import { thrown } from "../support/thrown.ts";

const numbers = { number1: 1, number2: 0 };

/** Has commands and events that are named like members of every object. */
class Oddity extends Aggregate<{ toString: EmptyPayload; constructor: EmptyPayload }> {
  static readonly path = "/oddities";
  static readonly access = "tenant";
  seen: string[] = [];
  get commands() {
    return {
      toString: (context: CommandContext<Oddity>) => context.push("toString"),
      constructor: (context: CommandContext<Oddity>) => context.push("constructor"),
    };
  }
  get events() {
    return {
      toString: () => void this.seen.push("toString"),
      constructor: () => void this.seen.push("constructor"),
    };
  }
}

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

  it("8: reported permission and network errors as conflicts", async () => {
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

  it("14: let a tenant named victim/events/e1 write inside the victim's tree", async () => {
    for (const tenant of ["victim/events/e1", "victim/", "../victim", "victim#1", "victim\u0000", ".", "..", "__proto__"]) {
      const error = thrown(Err, () => new Actor({ id: "ada", tenant, roles: [] }));
      expect(error.code, tenant).to.equal("invalid_argument");
      expect(error.message, tenant).to.contain("actor.tenant");
      const polled = new StreamReader(stage.store).poll(tenant, "thread", [{ name: "any", events: { Any: () => {} } }]);
      expect((await rejects(Err, polled)).message, tenant).to.contain("invalid argument tenant");
    }
  });

  it("15: died with a TypeError of commands named constructor, toString, __proto__", async () => {
    const handler = handlerOf() as unknown as CommandHandler;
    const actor = actorOf(stage.newTenant());
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"]) {
      const error = await rejects(Err, handler.command(actor, name, {}));
      expect([error.code, error.message]).to.deep.equal([
        "invalid_argument",
        `invalid argument command: no aggregate has a command named ${name}`,
      ]);
    }
  });

  it("15: and commands or events that really have such names work", async () => {
    const handler = new CommandHandler(stage.store, [Oddity]);
    const actor = actorOf(stage.newTenant());
    await handler.command(actor, "toString", { aggregateId: "constructor" });
    const { aggregate } = await handler.command(actor, "constructor", { aggregateId: "constructor" });
    expect(aggregate.seen).to.deep.equal(["toString", "constructor"]);
    const seen: string[] = [];
    const listener = {
      name: "names",
      events: { toString: (_tenant: string, event: { name: string }) => void seen.push(event.name) },
    };
    await pollUntilIdle(new StreamReader(stage.store), actor.tenant, "thread", [listener]);
    expect(seen).to.deep.equal(["toString"]);
  });

  it("18: threw at version 1,000,000", async () => {
    const actor = actorOf(stage.newTenant());
    const commits: PendingCommit[] = [];
    const old = intercepted(stage.store, {
      load: async () => ({ snapshot: { version: 1_000_000, schema: 0, state: { sum: 7 } }, commits: [], life: "1" }),
      commit: async (_tenant, pending) => {
        commits.push(...pending);
        return pending.map(() => ({ status: "committed" as const }));
      },
    });
    const handler = new CommandHandler(old, [SummingCalculator]);
    const { aggregate } = await handler.command(actor, "AddNumbers", {
      ...numbers,
      aggregateId: "calc",
      expectedVersion: 1_000_000,
    });
    expect([aggregate.aggregateVersion, aggregate.sum]).to.deep.equal([1_000_001, 8]);
    expect(commits[0]?.writes[0]?.version).to.equal(1_000_001);
  });

  it("19: took the expected version 0 for none", async () => {
    const handler = handlerOf();
    const actor = actorOf(stage.newTenant());
    const to = { ...numbers, aggregateId: "calc" };
    for (let count = 0; count < 3; count++) await handler.command(actor, "AddNumbers", to);
    const error = await rejects(ConcurrencyError, handler.command(actor, "AddNumbers", { ...to, expectedVersion: 0 }));
    expect([error.expected, error.actual]).to.deep.equal([0, 2]);
    const first = await handler.load(actor, SummingCalculator, "calc", { version: 0 });
    expect([first?.sum, first?.aggregateVersion]).to.deep.equal([1, 0]);
    expect((await handler.history(actor, SummingCalculator, "calc", { after: 0 })).map(({ version }) => version)).to.deep.equal([
      1, 2,
    ]);
  });

  it("20: let the last of two commands of the same name win, in silence", () => {
    class Second extends SummingCalculator {
      static override readonly path = "/second-calculators";
    }
    const error = thrown(Err, () => new CommandHandler(stage.store, [SummingCalculator, Second]));
    expect([error.code, error.message]).to.deep.equal([
      "invalid_argument",
      "invalid argument Second.commands: AddNumbers is already a command of SummingCalculator: rename one",
    ]);
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

describe("Seed 1 (the parent), what its project did wrongly,", () => {
  it("21: most error messages were empty", async () => {
    const address = { tenant: "t", type: "a", id: "i" };
    for (const error of [
      Err.invalidArgument("x"),
      Err.missingArgument("x"),
      Err.notImplemented("x"),
      Err.notFound("x"),
      Err.precondition("x"),
      Err.concurrency(address, 1, 2),
    ]) {
      expect(error.message).to.match(/x|a\/i/);
    }
  });

  it("22: its tests ended in `|| exit 0`", async () => {
    const { scripts } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const [name, script] of Object.entries(scripts)) expect(script, name).to.not.match(/\|\|/);
  });
});
