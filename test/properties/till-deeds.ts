import fc from "fast-check";
import type { Sent } from "./till-model.ts";

/** The ids of the tills. */
export const TILLS = ["a", "b", "c"];

/** One thing that somebody does to a tenant of tills; `by` says with which of five handlers. */
export type TillDeed =
  | { readonly do: "send"; readonly by: number; readonly sent: Sent }
  | { readonly do: "again"; readonly by: number; readonly back: number }
  | { readonly do: "look"; readonly by: number; readonly id: string; readonly version?: number }
  | { readonly do: "redact"; readonly by: number; readonly id: string }
  | { readonly do: "suspend" | "open" | "erase" | "keep" | "restore" };

const id = fc.constantFrom(...TILLS);
const by = fc.nat(4);
/** Mostly nothing: so seldom is one as `per` says, of ten. */
const seldom = <T>(per: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 10 - per, arbitrary: fc.constant(undefined) }, { weight: per, arbitrary });

const sent = fc
  .record({
    name: fc.oneof(
      { weight: 4, arbitrary: fc.constant("Pay" as const) },
      { weight: 6, arbitrary: fc.constantFrom("Take" as const, "Carry" as const, "Mirror" as const, "Compare" as const) },
    ),
    id,
    ids: fc.tuple(id),
    amount: fc.integer({ min: 1, max: 5 }),
    verify: fc.boolean(),
    expected: seldom(1, fc.integer({ min: -1, max: 4 })),
    key: seldom(5, fc.constantFrom("k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8")),
  })
  .map(
    ({ ids: [to], expected, key, ...rest }): Sent => ({
      ...rest,
      // A till carries to another one only.
      to: to === rest.id ? TILLS[(TILLS.indexOf(to) + 1) % TILLS.length]! : to,
      ...(expected !== undefined && { expected }),
      ...(key !== undefined && { key }),
    }),
  );

/** Any of them; commands come most often, and commands sent again. */
export const tillDeed: fc.Arbitrary<TillDeed> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ do: fc.constant("send" as const), by, sent }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("again" as const), by, back: fc.nat(5) }) },
  {
    weight: 4,
    arbitrary: fc
      .record({ do: fc.constant("look" as const), by, id, version: seldom(5, fc.nat(4)) })
      .map(({ version, ...rest }) => ({ ...rest, ...(version !== undefined && { version }) })),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("redact" as const), by, id }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "suspend" as const,
        "open" as const,
        "open" as const,
        "erase" as const,
        "keep" as const,
        "restore" as const,
      ),
    }),
  },
);
