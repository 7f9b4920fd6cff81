import type { StandardSchemaV1 } from "@standard-schema/spec";
import { expect } from "chai";
import { z } from "zod";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import {
  type Actor,
  Aggregate,
  type AggregateClass,
  type CommandContext,
  CommandHandler,
  Err,
  type EventMap,
  type EventOf,
  type IEventHandler,
  Projection,
  type ProjectionEvents,
  type PublishMap,
  type StandardSchema,
  StreamReader,
} from "../../core/index.ts";
import { Account } from "../../examples/bank-account/index.ts";
import { Post, User } from "../../examples/blog/index.ts";
import {
  KeyPressCalculator,
  SummingCalculator,
  type SummingEvents,
  Totals,
  type TotalView,
} from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";

type IsAny<T> = 0 extends 1 & T ? true : false;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only if its type argument is true. */
function holds<_Claim extends true>(): void {}

const store = new MemoryEventStore();
const handler = new CommandHandler(store, [SummingCalculator, KeyPressCalculator, User, Post, Account]);
const reader = new StreamReader(store);
const actor: Actor = actorOf("tenant");

/** Compiled, never run: what matters is which lines are errors. */
function neverRun(..._claims: readonly (() => unknown)[]): void {}

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

describe("The types of an aggregate", () => {
  it("want each parameter annotated, each event applied, and a path and access", () => {
    neverRun(
      () =>
        class extends Aggregate<SummingEvents> {
          get commands() {
            return {
              // @ts-expect-error an unannotated context would be any
              AddNumbers: (context) => context.push("NumbersAdded"),
            };
          }
          get events() {
            return {
              // @ts-expect-error an unannotated event would be any
              NumbersAdded: (event) => event.payload,
              NumbersSubtracted: () => {},
            };
          }
        },
      () =>
        class Half extends Aggregate<SummingEvents> {
          get commands() {
            return { AddNumbers: (context: CommandContext<Half>) => void context };
          }
          // @ts-expect-error NumbersSubtracted is not applied
          get events() {
            return { NumbersAdded: () => {} };
          }
        },
      () =>
        class Wrong extends Aggregate<SummingEvents> {
          get commands() {
            // @ts-expect-error an aggregate has no such event
            return { AddNumbers: (_event: EventOf<Wrong, "NumbersMultiplied">) => {} };
          }
          get events() {
            return {
              NumbersAdded: (event: EventOf<Wrong, "NumbersAdded">) => {
                // @ts-expect-error events are frozen
                event.payload.number1 = 2;
              },
              NumbersSubtracted: () => {},
            };
          }
        },
    );
    class Nowhere extends SummingCalculator {}
    neverRun(() => new CommandHandler(store, [Nowhere]));
    abstract class Bare extends Aggregate {}
    // @ts-expect-error it has neither path nor access, and is abstract
    neverRun(() => new CommandHandler(store, [Bare]));
    // @ts-expect-error a rule is "tenant", roles or a predicate
    const bad: AggregateClass<SummingCalculator> = class extends SummingCalculator {
      static override readonly access = { AddNumbers: 7 } as never as { AddNumbers: 7; SubtractNumbers: 7 };
    };
    expect(bad.path).to.equal("/summing-calculators");
  });
});

describe("The types of a schema", () => {
  it("take whatever keeps the Standard Schema", () => {
    neverRun((given?: StandardSchemaV1<unknown, string>): StandardSchema<string> | undefined => given);
    neverRun((): StandardSchema<{ a: number }> => z.object({ a: z.number() }));
    // @ts-expect-error a function is none
    neverRun((): StandardSchema => (value: unknown) => value);
  });
});

describe("The types of a handler and a projection", () => {
  it("check events by name and payload", () => {
    const good: IEventHandler<SummingEvents> = {
      name: "good",
      events: { NumbersAdded: async (tenant, event, commit) => void [tenant.length, event.payload.number1, commit.position] },
    };
    const wrong: IEventHandler<SummingEvents> = {
      name: "wrong",
      // @ts-expect-error there is no such event
      events: { NumbersMultiplied: () => {} },
    };
    const misread: IEventHandler<SummingEvents> = {
      name: "misread",
      // @ts-expect-error the payload has no such field
      events: { NumbersAdded: (_tenant, event) => void event.payload.number3 },
    };
    expect([good.name, wrong.name, misread.name]).to.deep.equal(["good", "wrong", "misread"]);
  });

  it("check views", () => {
    class Wrong extends Projection<TotalView, SummingEvents> {
      readonly collection = "wrong";
      get events(): ProjectionEvents<TotalView, SummingEvents> {
        return {
          NumbersAdded: {
            id: (_event, commit) => commit.id,
            // @ts-expect-error a total has a sum
            next: (_total, { payload }) => ({ steps: payload.number1 }),
          },
          NumbersSubtracted: {
            id: (_event, commit) => commit.id,
            next: (total) => {
              // @ts-expect-error the view before is frozen
              if (total) total.sum = 1;
              return total;
            },
          },
        };
      }
    }
    expect(new Wrong().collection).to.equal("wrong");
  });

  it("tell what a view is", () => {
    neverRun(async () => {
      const view = await reader.views(actor.tenant, new Totals()).get("a");
      holds<Equal<IsAny<typeof view>, false>>();
      const total: TotalView | undefined = view;
      return total;
    });
  });
});

describe("The types of a publish map", () => {
  it("know the events of their class, and each payload", () => {
    type Events = { Packed: { number: number }; Weighed: { grams: number } };
    neverRun(
      (): PublishMap<Events> => ({ Packed: true, Weighed: false }),
      (): PublishMap<Events> => ({ Packed: { version: 1, data: ({ payload }) => ({ count: payload.number + 1 }) } }),
      // @ts-expect-error there is no such event
      (): PublishMap<Events> => ({ Lost: true }),
      // @ts-expect-error Packed has no grams
      (): PublishMap<Events> => ({ Packed: { data: ({ payload }) => ({ grams: payload.grams }) } }),
      // @ts-expect-error a text is no data
      (): PublishMap<Events> => ({ Packed: { data: () => "text" } }),
    );
    holds<Equal<Parameters<PublishedData<Events, "Packed">>[0]["payload"], { readonly number: number }>>();
  });
});

type PublishedData<E extends EventMap, Name extends keyof E & string> = Required<
  Exclude<PublishMap<E>[Name], boolean | undefined>
>["data"];
