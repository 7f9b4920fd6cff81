import fc from "fast-check";

/** A command; `by` says with which of two handlers, each with its own cache. */
export type CommandDeed =
  | {
      readonly do: "deposit" | "withdraw";
      readonly by: number;
      readonly id: string;
      readonly amount: number;
      readonly expected?: number;
      readonly key?: string;
    }
  | {
      readonly do: "move";
      readonly by: number;
      readonly id: string;
      readonly to: string;
      readonly amount: number;
      readonly key?: string;
    }
  | { readonly do: "compare"; readonly by: number; readonly id: string; readonly to: string }
  | { readonly do: "look" | "fail" | "drain"; readonly by: number; readonly id: string }
  | { readonly do: "note"; readonly by: number; readonly id: string; readonly count: number };

/** One thing that a user or an operator does to a tenant. */
export type Deed =
  | CommandDeed
  | { readonly do: "poll"; readonly limit: number; readonly thread: "main" | "side" }
  | { readonly do: "rewind" }
  | { readonly do: "redact"; readonly id: string }
  | { readonly do: "suspend" | "open" | "erase" | "rest" | "copy" };

const by = fc.nat(1);
const id = fc.constantFrom("a", "b", "c/../a", "é");
const amount = fc.integer({ min: 0, max: 9 });
const key = fc.option(fc.constantFrom("k-1", "k-2", "k-3"), { nil: undefined, freq: 2 });
const expected = fc.option(fc.integer({ min: -1, max: 4 }), { nil: undefined, freq: 2 });

/** Leaves out what is undefined: an absent field and an undefined one are two things. */
function present<T extends object>(facts: T): T {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as T;
}

/** Any deed; commands and polls come most often. */
export const deed: fc.Arbitrary<Deed> = fc
  .oneof(
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constantFrom("deposit" as const, "withdraw" as const), by, id, amount, expected, key }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("move" as const), by, id, to: id, amount, key }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("compare" as const), by, id, to: id }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("look" as const, "fail" as const, "drain" as const), by, id }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("note" as const), by, id, count: fc.integer({ min: 1, max: 70 }) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("poll" as const),
        limit: fc.integer({ min: 1, max: 5 }),
        thread: fc.constantFrom("main" as const, "side" as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("rewind" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("redact" as const), id }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom(
          "suspend" as const,
          "open" as const,
          "open" as const,
          "erase" as const,
          "rest" as const,
          "copy" as const,
        ),
      }),
    },
  )
  .map((facts) => present(facts) as Deed);
