import { expect } from "chai";
import {
  Actor,
  Aggregate,
  type AggregateClass,
  type CommandContext,
  CommandHandler,
  Err,
  type IEventStore,
  StreamReader,
} from "../../core/index.ts";
import { type Numbers, SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";
import { thrown } from "../support/thrown.ts";

/** The untyped way in, as a caller without TypeScript or a request over HTTP has it. */
interface Untyped {
  command(actor: unknown, name: unknown, data: unknown): Promise<unknown>;
}

onEveryStore("The calculator's errors", (stage) => {
  const sendTo = (actor: unknown, name: unknown, data: unknown) => {
    const handler = new CommandHandler(stage.store, [SummingCalculator]) as unknown as Untyped;
    return rejects(Err, handler.command(actor, name, data));
  };
  const numbers = { number1: 1, number2: 2 };

  it("says that the actor is missing", async () => {
    for (const actor of [undefined, null]) {
      const error = await sendTo(actor, "AddNumbers", numbers);
      expect([error.code, error.message]).to.deep.equal(["missing_argument", "missing argument actor: it is required"]);
    }
    const error = await sendTo({ id: "a", name: "a", tenant: "t", roles: ["user"] }, "AddNumbers", numbers);
    expect(error.message).to.equal("invalid argument actor: make it with new Actor({ id, name, tenant, roles })");
  });

  it("says that the actor's id or tenant is missing, or that its roles are no array", () => {
    const facts = { id: "user1", name: "actor 1", tenant: "tenant1", roles: ["user"] };
    const making = (change: object) => thrown(Err, () => new Actor({ ...facts, ...change } as typeof facts));
    expect(making({ id: undefined }).message).to.equal("missing argument actor.id: it is required");
    expect(making({ id: "" }).code).to.equal("missing_argument");
    expect(making({ tenant: undefined }).message).to.equal("missing argument actor.tenant: it is required");
    expect(making({ tenant: "" }).code).to.equal("missing_argument");
    expect(making({ roles: "user" }).message).to.equal("invalid argument actor.roles: give an array of strings");
    expect(making({ roles: undefined }).code).to.equal("invalid_argument");
  });

  it("says that the command is missing or unknown", async () => {
    const actor = actorOf(stage.newTenant());
    for (const name of [undefined, null, ""]) {
      const error = await sendTo(actor, name, numbers);
      expect([error.code, error.message]).to.deep.equal(["missing_argument", "missing argument command: it is required"]);
    }
    const error = await sendTo(actor, "MultiplyNumbers", numbers);
    expect(error.code).to.equal("invalid_argument");
    expect(error.message).to.equal("invalid argument command: no aggregate has a command named MultiplyNumbers: check the name");
  });

  it("says that expectedVersion needs an aggregateId", async () => {
    const error = await sendTo(actorOf(stage.newTenant()), "AddNumbers", { ...numbers, expectedVersion: 1 });
    expect(error.code).to.equal("missing_argument");
    expect(error.message).to.equal("missing argument aggregateId: it is required");
  });

  it("says that number1 is no integer, and stores nothing", async () => {
    const actor = actorOf(stage.newTenant());
    for (const number1 of [1.5, "1", undefined]) {
      const error = await sendTo(actor, "AddNumbers", { number1, number2: 2, aggregateId: "calc" });
      expect([error.code, error.message]).to.deep.equal(["validation", "payload.number1: give an integer"]);
    }
    expect((await stage.store.load({ tenant: actor.tenant, type: "summing-calculators", id: "calc" })).commits).to.deep.equal([]);
  });

  it("says that a store is no store", () => {
    for (const store of [undefined, null, {}, "store"]) {
      const writing = thrown(Err, () => new CommandHandler(store as unknown as IEventStore, [SummingCalculator]));
      expect([writing.code, writing.message]).to.deep.equal(["invalid_argument", "invalid argument store: give an event store"]);
      const reading = thrown(Err, () => new StreamReader(store as unknown as IEventStore));
      expect([reading.code, reading.message]).to.deep.equal(["invalid_argument", "invalid argument store: give an event store"]);
    }
  });

  it("says that an aggregate has no commands or no events", () => {
    abstract class Bare extends Aggregate {
      static readonly path = "/bare";
      static readonly access = "tenant";
    }
    class Mute extends Bare {
      commands = {};
      events = { Happened: () => {} };
    }
    class Still extends Bare {
      commands = { Do: () => {} };
      events = {};
    }
    const making = (Type: unknown) => thrown(Err, () => new CommandHandler(stage.store, [Type as AggregateClass]));
    expect(making(Mute).message).to.equal("missing argument Mute.commands: it is required");
    expect(making(Still).message).to.equal("missing argument Still.events: it is required");
    expect(making(Bare).message).to.equal("missing argument Bare.commands: it is required");
    expect(thrown(Err, () => new CommandHandler(stage.store, [])).message).to.equal(
      "missing argument aggregates: it is required",
    );
  });

  it("keeps the message of a precondition", async () => {
    const message = "Überzogen! 100 % of «it»";
    class Refusing extends SummingCalculator {
      override get commands() {
        return {
          ...super.commands,
          AddNumbers: (_context: CommandContext<SummingCalculator, Numbers>) => {
            throw Err.precondition(message);
          },
        };
      }
    }
    const sent = new CommandHandler(stage.store, [Refusing]).command(actorOf(stage.newTenant()), "AddNumbers", numbers);
    const error = await rejects(Err, sent);
    expect(error.code).to.equal("precondition");
    expect(error.message).to.equal(message);
  });
});
