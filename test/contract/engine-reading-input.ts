import { expect } from "chai";
import { Err, StreamReader } from "../../core/index.ts";
import { rejects } from "../support/rejects.ts";
import type { Clause, Facet } from "./clause.ts";
import { REFUSED_IDS } from "./odd-ids.ts";
import { Bookkeeper, tellerOf, Wallet, walletsOn } from "./wallet.ts";

/** What is no name of a tenant, thread, handler or collection. */
const REFUSED_NAMES: Readonly<Record<string, unknown>> = {
  "the empty text": "",
  nothing: undefined,
  null: null,
  "a number": 7,
  "two dots": "..",
  "a slash": "a/b",
  "a path into another tenant": "victim/events/e1",
  "a percent sign": "a%2Fb",
  "a hash": "a#b",
  "a space": "a b",
  "a leading hyphen": "-a",
  "a leading underscore": "_a",
  "the prototype": "__proto__",
  "an accent": "é",
  NUL: "a\u0000",
  "a line end behind": "a\n",
  "65 letters": "x".repeat(65),
  "an array": ["a"],
};

/** Numbers that are no limit of a page. */
const REFUSED_LIMITS = [0, -1, 1_001, 1e9, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "10", null];

type Untyped = (...given: readonly unknown[]) => Promise<unknown>;

/** A reader and a handler as untyped callers use them. */
function untyped(reader: StreamReader): Readonly<Record<"poll" | "read" | "parked" | "rewind", Untyped>> {
  return {
    poll: (...given) => (reader.poll as Untyped).apply(reader, given as []),
    read: (...given) => (reader.read as Untyped).apply(reader, given as []),
    parked: (...given) => (reader.parked as Untyped).apply(reader, given as []),
    rewind: (...given) => (reader.rewind as Untyped).apply(reader, given as []),
  };
}

async function isBad(sent: Promise<unknown>): Promise<void> {
  expect((await rejects(Err, sent)).code).to.be.oneOf(["invalid_argument", "missing_argument"]);
}

/** One clause for each name that is none. */
const names: readonly Clause[] = Object.entries(REFUSED_NAMES).map(([what, name]) => ({
  title: `refuses ${what} as the name of a tenant, thread, handler or collection, and leases nothing`,
  check: async ({ store, clock, tenant }) => {
    const reader = new StreamReader(store, { platform: clock });
    const { poll, read, parked } = untyped(reader);
    await isBad(poll(name, "main", [new Bookkeeper()]));
    await isBad(poll(tenant, name, [new Bookkeeper()]));
    await isBad(poll(tenant, "main", [{ ...new Bookkeeper(), name: name ?? "", events: {} }]));
    await isBad(poll(tenant, "main", [new Bookkeeper(name === undefined ? "" : (name as string))]));
    await isBad(read(name, 0, 10));
    await isBad(parked(tenant, name));
    await isBad(Promise.resolve().then(() => reader.views(name as string, new Bookkeeper()).get("a")));
    expect((await store.peek(tenant, "main")).thread.fence).to.equal(0);
  },
}));

/** What the engine promises of readers that are asked for what cannot be, on every store. */
export const engineReadingInput: Facet = {
  name: "bad input through the reader",
  clauses: [
    ...names,
    {
      title: "refuses limits that are none, wherever there is a limit",
      check: async ({ store, clock, tenant }) => {
        const reader = new StreamReader(store, { platform: clock });
        const { poll, read, parked } = untyped(reader);
        const handler = walletsOn({ store, clock });
        for (const limit of REFUSED_LIMITS) {
          await isBad(poll(tenant, "main", [new Bookkeeper()], { limit: limit ?? "none" }));
          await isBad(read(tenant, 0, limit));
          await isBad(parked(tenant, "main", { limit: limit ?? "none" }));
          await isBad(reader.views(tenant, new Bookkeeper()).list({ limit: (limit ?? "none") as number }));
          await isBad(handler.history(tellerOf(tenant), Wallet, "a", { limit: (limit ?? "none") as number }));
        }
        expect((await store.peek(tenant, "main")).thread.fence).to.equal(0);
      },
    },
    {
      title: "refuses positions, versions, leases and beginnings that are none",
      check: async ({ store, clock, tenant }) => {
        const reader = new StreamReader(store, { platform: clock });
        const { poll, read, rewind } = untyped(reader);
        const handler = walletsOn({ store, clock });
        for (const wrong of [-1, 0.5, "0", Number.NaN, 2 ** 53]) {
          await isBad(read(tenant, wrong, 10));
          await isBad(handler.load(tellerOf(tenant), Wallet, "a", { version: wrong as number }));
          await isBad(reader.waitFor(tenant, "main", wrong as number));
          await isBad(rewind(tenant, "main", new Bookkeeper(), wrong));
        }
        for (const lease of [0, 999, 1_000_000, "30000"]) await isBad(poll(tenant, "main", [new Bookkeeper()], { lease }));
        await isBad(poll(tenant, "main", [new Bookkeeper()], { from: "middle" }));
        for (const handlers of [undefined, [], {}]) await isBad(poll(tenant, "main", handlers));
        expect((await store.peek(tenant, "main")).thread.fence).to.equal(0);
      },
    },
    {
      title:
        "refuses projections, keys of parked events, redactors and hypothetical events that are none, before anything is read",
      check: async ({ store, clock, tenant }) => {
        const asked: PropertyKey[] = [];
        const silent = new Proxy(store, {
          get: (target, name) => {
            const member: unknown = Reflect.get(target, name, target);
            if (typeof member !== "function") return member;
            return (...given: readonly unknown[]) => {
              asked.push(name);
              return member.apply(target, given);
            };
          },
        });
        const reader = new StreamReader(silent, { platform: clock });
        const handler = walletsOn({ store: silent, clock });
        for (const none of [undefined, null, true, {}]) {
          await isBad(Promise.resolve().then(() => reader.views(tenant, none as never)));
          await isBad(handler.redact(tenant, Wallet, "a", none as never));
          if (none !== undefined) await isBad(handler.recalculate(tellerOf(tenant), Wallet, "a", none as never));
          if (none !== undefined) await isBad(reader.retryParked(tenant, "main", new Bookkeeper(), none as never));
          const key = { handler: "Bookkeeper", position: 1, index: 0 };
          const keys = [none, { ...key, handler: none }, { ...key, position: none }, { ...key, index: none }];
          for (const wrong of [...keys, { ...key, position: -1 }, { ...key, index: 0.5 }] as never[]) {
            await isBad(reader.inspectParked(tenant, "main", wrong));
            await isBad(reader.skipParked(tenant, "main", wrong, "why"));
          }
        }
        expect(asked).to.deep.equal([]);
      },
    },
    {
      title: "refuses ids of views and aggregates that are none",
      check: async ({ store, clock, tenant }) => {
        const views = new StreamReader(store, { platform: clock }).views(tenant, new Bookkeeper());
        const handler = walletsOn({ store, clock });
        for (const id of Object.values(REFUSED_IDS) as string[]) {
          await isBad(views.get(id));
          await isBad(views.list({ after: id }));
          await isBad(handler.load(tellerOf(tenant), Wallet, id));
          await isBad(handler.history(tellerOf(tenant), Wallet, id));
        }
      },
    },
  ],
};
