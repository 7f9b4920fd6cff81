import { z } from "zod";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type Actor, Aggregate, type AggregateClass, type CommandContext, CommandHandler, Err } from "../../core/index.ts";
import { Account } from "../../examples/bank-account/index.ts";
import { Post, User } from "../../examples/blog/index.ts";
import { KeyPressCalculator, SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { type Equal, holds, type IsAny, neverRun } from "../support/type-claims.ts";

const store = new MemoryEventStore();
const handler = new CommandHandler(store, [SummingCalculator, KeyPressCalculator, User, Post, Account]);
const actor: Actor = actorOf("tenant");

describe("The types of a command", () => {
  it("know the names of the handler's commands", () => {
    neverRun(
      () => handler.command(actor, "AddNumbers", { number1: 1, number2: 2 }),
      // @ts-expect-error no aggregate has this command
      () => handler.command(actor, "MultiplyNumbers", { number1: 1, number2: 2 }),
      // @ts-expect-error nor one of every object's members
      () => handler.command(actor, "toString", {}),
      // @ts-expect-error nor a command of a class that the handler was not made with
      () => new CommandHandler(store, [User]).command(actor, "AddNumbers", { number1: 1, number2: 2 }),
    );
  });

  it("check each payload", () => {
    neverRun(
      // @ts-expect-error number1 is a number
      () => handler.command(actor, "AddNumbers", { number1: "1", number2: 2 }),
      // @ts-expect-error number2 is missing
      () => handler.command(actor, "AddNumbers", { number1: 1 }),
      // @ts-expect-error there is no number3
      () => handler.command(actor, "AddNumbers", { number1: 1, number2: 2, number3: 3 }),
      // @ts-expect-error another command's payload
      () => handler.command(actor, "CreateUser", { number1: 1, number2: 2 }),
      // @ts-expect-error a digit is one of ten texts
      () => handler.command(actor, "PressDigit", { digit: "x" }),
      // @ts-expect-error the whole payload is missing
      () => handler.command(actor, "CreateUser"),
      () => handler.command(actor, "PressDot", {}),
      () => handler.command(actor, "RecordTransactions", { amounts: [1, 2] }),
      () => handler.command(actor, "RecordTransactions", { amounts: [1, 2], text: "t", aggregateId: "a", expectedVersion: 1 }),
      // @ts-expect-error a version is a number
      () => handler.command(actor, "PressDot", { expectedVersion: "0" }),
      // @ts-expect-error a literal is no actor
      () => handler.command({ id: "a", tenant: "t" }, "PressDot", {}),
      // @ts-expect-error there is no such option
      () => handler.command(actor, "PressDot", {}, { commandID: "c" }),
    );
  });

  it("let an empty payload, as a schema infers it, be sent to an aggregate", () => {
    class Bell extends Aggregate<{ Rung: Record<never, never> }> {
      static readonly path = "/bells";
      static readonly access = "tenant";
      get commands() {
        return { Ring: (context: CommandContext<Bell, Record<string, never>>) => context.push("Rung") };
      }
      get events() {
        return { Rung: () => {} };
      }
    }
    const bells = new CommandHandler(store, [Bell]);
    neverRun(
      () => bells.command(actor, "Ring", { aggregateId: "big", expectedVersion: 0 }),
      () => bells.command(actor, "Ring", {}),
      // @ts-expect-error nothing else belongs to it
      () => bells.command(actor, "Ring", { aggregateId: "big", loud: "yes" }),
    );
  });

  it("take what the command's schema takes, where it makes something else of it", () => {
    const seat = z.strictObject({ seats: z.int().default(1), day: z.string().transform((text) => Date.parse(text)) });
    type Seat = z.infer<typeof seat>;
    class Show extends Aggregate<{ Booked: Seat; Closed: { why: string } }> {
      static readonly path = "/shows";
      static readonly access = "tenant";
      static readonly schemas = { Book: seat };
      get commands() {
        return {
          Book: (context: CommandContext<Show, Seat>) => context.push("Booked"),
          Close: (context: CommandContext<Show, { why: string }>) => context.push("Closed"),
        };
      }
      get events() {
        return { Booked: () => {}, Closed: () => {} };
      }
    }
    const shows = new CommandHandler(store, [Show]);
    neverRun(
      () => shows.command(actor, "Book", { day: "2026-01-01", aggregateId: "gala" }),
      () => shows.command(actor, "Book", { day: "2026-01-01", seats: 2 }),
      // @ts-expect-error a day is sent as a text
      () => shows.command(actor, "Book", { day: 1 }),
      // @ts-expect-error the schema knows no row
      () => shows.command(actor, "Book", { day: "2026-01-01", row: 1 }),
      () => shows.command(actor, "Close", { why: "rain" }),
      // @ts-expect-error a command without a schema takes its payload
      () => shows.command(actor, "Close", { why: 1 }),
      async () => holds<Equal<Awaited<ReturnType<typeof book>>["payload"]["day"], number>>(),
    );
    const book = () => shows.command(actor, "Book", { day: "2026-01-01" });
  });

  it("tell what the command resolves to", () => {
    neverRun(async () => {
      const added = await handler.command(actor, "AddNumbers", { number1: 1, number2: 2 });
      holds<Equal<typeof added.aggregate, SummingCalculator>>();
      holds<Equal<typeof added.aggregate.sum, number>>();
      holds<Equal<typeof added.payload.number1, number>>();
      holds<Equal<IsAny<typeof added>, false>>();
      holds<Equal<IsAny<(typeof added.events)[number]["payload"]>, false>>();
      // @ts-expect-error the result is a calculator
      added.aggregate.title;
      // @ts-expect-error the id is read-only
      added.aggregate.aggregateId = "x";
      // @ts-expect-error the payload is frozen
      added.payload.number1 = 2;
      const created = await handler.command(actor, "CreatePost", { title: "T", body: "B" });
      holds<Equal<typeof created.aggregate, Post>>();
      const loaded = await handler.load(actor, Post, "p");
      holds<Equal<typeof loaded, Post | undefined>>();
      const { aggregate } = await handler.recalculate(actor, Account, "a");
      holds<Equal<typeof aggregate, Account>>();
    });
  });

  it("check hypothetical events", () => {
    neverRun(
      () => handler.recalculate(actor, Account, "a", [{ name: "TransactionRecorded", payload: { amount: 1, text: "" } }]),
      // @ts-expect-error an account has no such event
      () => handler.recalculate(actor, Account, "a", [{ name: "NumbersAdded", payload: { amount: 1, text: "" } }]),
      // @ts-expect-error the payload is another event's
      () => handler.recalculate(actor, Account, "a", [{ name: "TransactionRecorded", payload: { owner: "a" } }]),
    );
  });

  it("let a command without a context be sent, with no payload", () => {
    class Refusing extends SummingCalculator {
      override get commands() {
        return {
          ...super.commands,
          Refuse: () => {
            throw Err.precondition("never");
          },
        };
      }
    }
    neverRun(() => new CommandHandler(store, [Refusing]).command(actor, "Refuse", {}));
  });
});

describe("The types of a handler whose classes are not known", () => {
  it("let any command be sent with any JSON", () => {
    const untyped = new CommandHandler(store, [SummingCalculator] as readonly AggregateClass[]);
    neverRun(
      () => untyped.command(actor, "AddNumbers", { number1: 1, aggregateId: "a" }),
      () => untyped.command(actor, "AddNumbers" as string, { number1: 1, aggregateId: "a" }),
      // @ts-expect-error a date is no JSON
      () => untyped.command(actor, "AddNumbers", { at: new Date(0) }),
    );
  });
});

describe("The types of a context", () => {
  it("check events by name and payload", () => {
    neverRun(async (context?: CommandContext<SummingCalculator, { number1: number; number2: number }>) => {
      if (context === undefined) return;
      context.push("NumbersAdded");
      context.push("NumbersAdded", { number1: 1, number2: 2 }, 0);
      // @ts-expect-error the aggregate has no such event
      context.push("NumbersMultiplied");
      // @ts-expect-error the payload lacks number2
      context.push("NumbersAdded", { number1: 1 });
      // @ts-expect-error number1 is a number
      context.push("NumbersAdded", { number1: "1", number2: 2 });
      // @ts-expect-error the event of another aggregate
      context.push("UserCreated", { name: "n" });
    });
    neverRun(async (context?: CommandContext<User, { title: string }>) => {
      if (context === undefined) return;
      context.push("UserDisabled");
      // @ts-expect-error the command's payload does not fit, so the event's must be given
      context.push("UserCreated");
      context.push("UserCreated", { name: context.payload.title });
    });
  });

  it("check what happens to other aggregates", () => {
    neverRun(async (context?: CommandContext<Post>) => {
      if (context === undefined) return;
      const user = await context.load(User, "ada");
      holds<Equal<typeof user, User>>();
      const calculator = await context.append(SummingCalculator, "c", "NumbersAdded", { number1: 1, number2: 2 });
      holds<Equal<typeof calculator, SummingCalculator>>();
      // @ts-expect-error a calculator has no such event
      await context.append(SummingCalculator, "c", "PostArchived", {});
      // @ts-expect-error the payload lacks number2
      await context.append(SummingCalculator, "c", "NumbersAdded", { number1: 1 });
    });
  });
});
