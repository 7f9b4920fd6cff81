import fc from "fast-check";
import type { Kind, Sent } from "./till-model.ts";

/** The ids of the tills, and of the safes. */
export const TILLS = ["a", "b", "c"];

/** What is done to the books that readers keep. */
export type Keeping = "poll" | "rebuild" | "rollback" | "discard" | "rewind" | "retry";

/** One thing that somebody does to one of two tenants of tills; `by` says with which of five handlers. */
export type TillDeed = { readonly in: number } & (
  | { readonly do: "send"; readonly by: number; readonly sent: Sent }
  | { readonly do: "again"; readonly by: number; readonly back: number }
  | { readonly do: "look"; readonly by: number; readonly id: string; readonly version?: number }
  | { readonly do: "redact"; readonly by: number; readonly id: string; readonly type: Kind }
  | { readonly do: "keep books"; readonly how: Keeping; readonly by: number; readonly limit: number }
  | { readonly do: "suspend" | "open" | "erase" | "keep" | "restore" }
);

const id = fc.constantFrom(...TILLS);
const by = fc.nat(4);
/** Mostly the first tenant. */
const tenant = { in: fc.constantFrom(0, 0, 0, 1) };
/** Mostly nothing: so seldom is one as `per` says, of ten. */
const seldom = <T>(per: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 10 - per, arbitrary: fc.constant(undefined) }, { weight: per, arbitrary });

const sent = fc
  .record({
    name: fc.oneof(
      { weight: 4, arbitrary: fc.constant("Pay" as const) },
      {
        weight: 6,
        arbitrary: fc.constantFrom("Take", "Carry", "Mirror", "Compare", "Stow", "Check", "Draw", "Hoard", "Empty"),
      },
    ) as fc.Arbitrary<Sent["name"]>,
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
      // One does not carry to itself; but what goes from a till to a safe may keep its id.
      to: to === rest.id && !["Stow", "Check"].includes(rest.name) ? TILLS[(TILLS.indexOf(to) + 1) % TILLS.length]! : to,
      ...(expected !== undefined && { expected }),
      ...(key !== undefined && { key }),
    }),
  );

/** Any of them; commands come most often, and commands sent again. */
export const tillDeed: fc.Arbitrary<TillDeed> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ ...tenant, do: fc.constant("send" as const), by, sent }) },
  { weight: 5, arbitrary: fc.record({ ...tenant, do: fc.constant("again" as const), by, back: fc.nat(5) }) },
  {
    weight: 4,
    arbitrary: fc
      .record({ ...tenant, do: fc.constant("look" as const), by, id, version: seldom(5, fc.nat(4)) })
      .map(({ version, ...rest }) => ({ ...rest, ...(version !== undefined && { version }) })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...tenant,
      do: fc.constant("redact" as const),
      by,
      id,
      type: fc.constantFrom("tills" as const, "tills" as const, "safes" as const),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      ...tenant,
      do: fc.constant("keep books" as const),
      how: fc.constantFrom<Keeping[]>(
        "poll",
        "poll",
        "poll",
        "rebuild",
        "rebuild",
        "rollback",
        "rollback",
        "discard",
        "rewind",
        "retry",
      ),
      by,
      limit: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...tenant,
      do: fc.constantFrom<("suspend" | "open" | "erase" | "keep" | "restore")[]>(
        ...(["suspend", "open", "open", "erase", "keep", "restore"] as const),
      ),
    }),
  },
);
