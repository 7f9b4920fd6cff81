import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  type PositionedCommit,
  Projection,
  type ProjectionEvents,
  StreamReader,
  ValidationError,
} from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";

/** As it was first: two names, in the event and in the state. */
class PersonOfOld extends Aggregate<{ NameGiven: { first: string; last: string } }> {
  static readonly path = "/people";
  static readonly access = "tenant";
  first = "";
  last = "";
  get commands() {
    return { GiveName: (context: CommandContext<PersonOfOld, { first: string; last: string }>) => context.push("NameGiven") };
  }
  get events() {
    return {
      NameGiven: ({ payload }: { readonly payload: { readonly first: string; readonly last: string } }) => {
        this.first = payload.first;
        this.last = payload.last;
      },
    };
  }
}

/** As it is now: one name and a length, in two steps; the state has another shape too. */
class Person extends Aggregate<{ NameGiven: { name: string; letters: number } }> {
  static readonly path: string = "/people";
  static readonly access = "tenant";
  static readonly snapshot = { schema: 1 };
  static readonly upcasters = {
    NameGiven: [
      ({ first, last }: { first: string; last: string }) => ({ name: `${first} ${last}` }),
      ({ name }: { name: string }) => ({ name, letters: name.length }),
    ],
  };
  name = "";
  letters = 0;
  /** The versions of the events as they were applied. */
  seen: number[] = [];
  get commands() {
    return {
      GiveName: (context: CommandContext<Person, { name: string }>) => {
        const { name } = context.payload;
        context.push("NameGiven", { name, letters: name.length });
      },
      GiveNameOfSchema: (context: CommandContext<Person, { schema: number; payload: { name: string } }>) => {
        const { schema, payload } = context.payload;
        context.push("NameGiven", payload as { name: string; letters: number }, schema);
      },
    };
  }
  get events() {
    return {
      NameGiven: (event: {
        readonly payload: { readonly name: string; readonly letters: number };
        readonly schemaVersion: number;
      }) => {
        this.name = event.payload.name;
        this.letters = event.payload.letters;
        this.seen.push(event.schemaVersion);
      },
    };
  }
}

/** An upcaster that makes what cannot be stored. */
class Broken extends Person {
  static override readonly upcasters = { NameGiven: [() => ({ name: Number.NaN })] } as never as typeof Person.upcasters;
}

/** Counts the people of a name. */
class Namesakes extends Projection<{ people: number }, { NameGiven: { name: string } }> {
  readonly collection = "namesakes";
  readonly events: ProjectionEvents<{ people: number }, { NameGiven: { name: string } }> = {
    NameGiven: { id: ({ payload }) => payload.name, next: (view) => ({ people: (view?.people ?? 0) + 1 }) },
  };
}

describe("Upcasters", () => {
  const actor = actorOf("t");
  const to = { aggregateId: "ada" };

  /** A store with one person, named by the code of old, and snapshotted in its shape. */
  async function storeOfOld() {
    const store = new MemoryEventStore();
    await new CommandHandler(store, [PersonOfOld]).command(actor, "GiveName", { first: "Ada", last: "Byron", ...to });
    return store;
  }

  it("lift old payloads when an aggregate is loaded, through every step", async () => {
    const handler = new CommandHandler(await storeOfOld(), [Person]);
    const person = await handler.load(actor, Person, "ada");
    expect([person?.name, person?.letters, person?.seen]).to.deep.equal(["Ada Byron", 9, [2]]);
  });

  it("come with a raised snapshot schema, so that a state of the old shape is not used, nor ever again", async () => {
    const store = await storeOfOld();
    const address = { tenant: "t", type: "people", id: "ada" };
    expect((await store.load(address)).snapshot).to.deep.equal({ version: 0, schema: 0, state: { first: "Ada", last: "Byron" } });
    const { aggregate } = await new CommandHandler(store, [Person]).command(actor, "GiveName", { name: "Ada Lovelace", ...to });
    expect([aggregate.name, aggregate.seen, Object.keys(aggregate).sort()]).to.deep.equal([
      "Ada Lovelace",
      [2, 2],
      ["letters", "name", "seen"],
    ]);
    const { snapshot, commits } = await store.load(address);
    expect([snapshot?.version, snapshot?.schema, commits]).to.deep.equal([1, 1, []]);
    expect((await new CommandHandler(store, [Person]).load(actor, Person, "ada"))?.name).to.equal("Ada Lovelace");
  });

  it("leave what is stored as it was", async () => {
    const store = await storeOfOld();
    const handler = new CommandHandler(store, [Person]);
    await handler.command(actor, "GiveName", { name: "Ada Lovelace", ...to });
    const events = (await handler.history(actor, Person, "ada")).flatMap((commit) => commit.events);
    expect(events.map(({ payload, schemaVersion }) => [payload, schemaVersion])).to.deep.equal([
      [{ first: "Ada", last: "Byron" }, 0],
      [{ letters: 12, name: "Ada Lovelace" }, 2],
    ]);
  });

  it("give new events the newest schema version, unless the command names one, which is lifted from there", async () => {
    const store = new MemoryEventStore();
    const handler = new CommandHandler(store, [Person]);
    const first = await handler.command(actor, "GiveNameOfSchema", { schema: 1, payload: { name: "Grace" }, ...to });
    expect(first.events).to.deep.equal([{ name: "NameGiven", payload: { name: "Grace" }, schemaVersion: 1 }]);
    expect([first.aggregate.name, first.aggregate.letters, first.aggregate.seen]).to.deep.equal(["Grace", 5, [2]]);
    const { events } = await handler.command(actor, "GiveName", { name: "Ada", ...to });
    expect(events[0]?.schemaVersion).to.equal(2);
  });

  it("leave an event of a newer version than they know as it is: newer code wrote it", async () => {
    const handler = new CommandHandler(new MemoryEventStore(), [Person]);
    const { aggregate } = await handler.command(actor, "GiveNameOfSchema", { schema: 7, payload: { name: "Grace" }, ...to });
    expect([aggregate.name, aggregate.seen]).to.deep.equal(["Grace", [7]]);
  });

  it("lift old payloads for handlers of a reader that knows the classes", async () => {
    const store = await storeOfOld();
    const seen: unknown[] = [];
    const listener = {
      name: "listener",
      events: {
        NameGiven: (_tenant: string, event: { payload: object; schemaVersion: number }, commit: PositionedCommit) =>
          void seen.push(event.payload, event.schemaVersion, commit.version),
      },
    };
    await pollUntilIdle(new StreamReader(store, { aggregates: [Person] }), "t", "lifted", [listener]);
    expect(seen).to.deep.equal([{ letters: 9, name: "Ada Byron" }, 2, 0]);
    seen.length = 0;
    await pollUntilIdle(new StreamReader(store), "t", "raw", [listener]);
    expect(seen).to.deep.equal([{ first: "Ada", last: "Byron" }, 0, 0]);
  });

  it("lift old payloads before a projection's view is read ahead, whose id may come from them", async () => {
    const store = new MemoryEventStore();
    const old = new CommandHandler(store, [PersonOfOld]);
    const reader = new StreamReader(store, { aggregates: [Person] });
    // The second one is a poll of its own, to which the view of the first is only known from the store.
    for (let times = 1; times <= 2; times++) {
      await old.command(actorOf("t"), "GiveName", { aggregateId: `p${times}`, first: "Ada", last: "Lovelace" });
      await pollUntilIdle(reader, "t", "names", [new Namesakes()]);
      expect(await reader.views("t", new Namesakes()).get("Ada Lovelace")).to.deep.equal({ people: times });
    }
    await store.close();
  });

  it("work in what if and in a state of the past too", async () => {
    const handler = new CommandHandler(await storeOfOld(), [Person]);
    await handler.command(actor, "GiveName", { name: "Ada Lovelace", ...to });
    expect((await handler.load(actor, Person, "ada", { version: 0 }))?.name).to.equal("Ada Byron");
    const { aggregate, snapshot } = await handler.recalculate(actor, Person, "ada", [
      { name: "NameGiven", payload: { name: "Countess", letters: 8 } },
    ]);
    expect([aggregate.name, aggregate.seen, snapshot]).to.deep.equal(["Countess", [2, 2, 2], "equal"]);
  });

  it("must make JSON", async () => {
    const handler = new CommandHandler(await storeOfOld(), [Broken]);
    const error = await rejects(ValidationError, handler.load(actor, Broken, "ada"));
    expect([error.code, error.path]).to.deep.equal(["validation", "upcast NameGiven.name"]);
  });
});
