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
  type EventMap,
  type EventOf,
  type IEventHandler,
  Projection,
  type ProjectionEvents,
  type PublishMap,
  type StandardSchema,
  StreamReader,
} from "../../core/index.ts";
import { SummingCalculator, type SummingEvents, Totals, type TotalView } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { type Equal, holds, type IsAny, neverRun } from "../support/type-claims.ts";

const store = new MemoryEventStore();
const reader = new StreamReader(store);
const actor: Actor = actorOf("tenant");

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
