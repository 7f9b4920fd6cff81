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

onEveryStore("Seed 1 (the parent), what it took wrongly,", (stage) => {
  const handlerOf = () => new CommandHandler(stage.store, [SummingCalculator, KeyPressCalculator, Account]);

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
        `invalid argument command: no aggregate has a command named ${name}: check the name`,
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
