import { expect } from "chai";
import { Err, type ErrCode, LIMITS, StreamReader, type ValidationError } from "../../core/index.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import type { Clause, Facet, Ground } from "./clause.ts";
import { ACCEPTED_IDS, REFUSED_IDS } from "./odd-ids.ts";
import { listAll, readAll } from "./reading.ts";
import { Bookkeeper, tellerOf, Wallet, walletsOn } from "./wallet.ts";

/** The handler as untyped callers use it: over HTTP, from JavaScript. */
type Untyped = (actor: unknown, name: unknown, data: unknown, options?: unknown) => Promise<unknown>;

function untyped(ground: Ground): Untyped {
  const handler = walletsOn(ground);
  return (handler.command as Untyped).bind(handler);
}

/** Fails unless the call throws one of these codes and leaves the tenant as absent as it was. */
async function refuses({ store, clock, tenant }: Ground, sent: Promise<unknown>, ...codes: readonly ErrCode[]): Promise<Err> {
  const error = await rejects(Err, sent);
  expect(error.code).to.be.oneOf(codes);
  expect(error.message).not.to.equal("");
  expect(await store.status(tenant)).to.equal("absent");
  expect((await readAll({ store, clock }, tenant)).commits).to.deep.equal([]);
  return error;
}

/** One clause for each id that is none: it is refused for aggregates and for commands. */
const ids: readonly Clause[] = Object.entries(REFUSED_IDS).map(([what, id]) => ({
  title: `refuses ${what} as an aggregateId and as a commandId, and writes nothing`,
  unopened: true,
  check: async (ground) => {
    const send = untyped(ground);
    const actor = tellerOf(ground.tenant);
    const byId = await refuses(
      ground,
      send(actor, "Deposit", { amount: 1, aggregateId: id }),
      "invalid_argument",
      "missing_argument",
    );
    expect(byId.message).to.include("aggregateId");
    const byCommand = send(actor, "Deposit", { amount: 1, aggregateId: "a" }, { commandId: id });
    expect((await refuses(ground, byCommand, "invalid_argument", "missing_argument")).message).to.include("commandId");
  },
}));

class Money {
  readonly amount = 1;
}

/** Values that would not come back from a store as they were. */
function unstorable(): Readonly<Record<string, unknown>> {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  let deep: unknown = {};
  for (let depth = 0; depth < 100; depth++) deep = { deep };
  return {
    NaN: Number.NaN,
    Infinity: Number.POSITIVE_INFINITY,
    "-Infinity": Number.NEGATIVE_INFINITY,
    "a BigInt": 1n,
    "a Date": new Date(0),
    "a Map": new Map([["a", 1]]),
    "a Set": new Set([1]),
    "a typed array": new Uint8Array(2),
    "an instance of a class": new Money(),
    "a regular expression": /a/,
    "a function": () => 1,
    "a symbol": Symbol("a"),
    "undefined in an array": [1, undefined],
    "a hole in an array": new Array(2),
    "a lone surrogate": "a\ud800",
    "a lone surrogate in a key": { "\udc00": 1 },
    "a key __proto__": JSON.parse('{ "__proto__": 1 }'),
    "a symbol as a key": { [Symbol("a")]: 1 },
    "a cycle": cycle,
    "an object nested 101 deep": deep,
    "300 KiB": "x".repeat(300 * 1024),
  };
}

/** One clause for each value that cannot be stored: as a command's payload. */
const values: readonly Clause[] = Object.keys(unstorable()).map((what) => ({
  title: `refuses ${what} in a payload, names the place and writes nothing`,
  unopened: true,
  check: async (ground) => {
    const send = untyped(ground)(tellerOf(ground.tenant), "Note", { aggregateId: "a", value: unstorable()[what] });
    const error = await refuses(ground, send, "validation");
    expect((error as ValidationError).path).to.match(what === "300 KiB" ? /^payload/ : /^payload\.value/);
  },
}));

/** What else an untyped caller gets wrong, and the code that tells. */
const MISTAKES: Readonly<Record<string, readonly [code: ErrCode, name: unknown, data: unknown]>> = {
  "no command": ["missing_argument", undefined, {}],
  "an empty command": ["missing_argument", "", {}],
  "an unknown command": ["invalid_argument", "Nope", {}],
  "the command constructor": ["invalid_argument", "constructor", {}],
  "the command toString": ["invalid_argument", "toString", {}],
  "the command __proto__": ["invalid_argument", "__proto__", {}],
  "the command hasOwnProperty": ["invalid_argument", "hasOwnProperty", {}],
  "a number as the command": ["invalid_argument", 7, {}],
  "a text as data": ["validation", "Deposit", "amount"],
  "an array as data": ["validation", "Deposit", [1]],
  "an instance as data": ["validation", "Deposit", new Money()],
  "expectedVersion -2": ["invalid_argument", "Deposit", { amount: 1, aggregateId: "a", expectedVersion: -2 }],
  "expectedVersion 1.5": ["invalid_argument", "Deposit", { amount: 1, aggregateId: "a", expectedVersion: 1.5 }],
  "expectedVersion NaN": ["invalid_argument", "Deposit", { amount: 1, aggregateId: "a", expectedVersion: Number.NaN }],
  "expectedVersion as a text": ["invalid_argument", "Deposit", { amount: 1, aggregateId: "a", expectedVersion: "0" }],
  "expectedVersion null": ["invalid_argument", "Deposit", { amount: 1, aggregateId: "a", expectedVersion: null }],
  "expectedVersion beyond the safe integers": [
    "invalid_argument",
    "Deposit",
    { amount: 1, aggregateId: "a", expectedVersion: 2 ** 53 },
  ],
  "expectedVersion without aggregateId": ["missing_argument", "Deposit", { amount: 1, expectedVersion: 0 }],
  "65 events": ["validation", "NoteMany", { aggregateId: "a", count: LIMITS.events + 1, size: 1 }],
  "a commit beyond 256 KiB": ["validation", "NoteMany", { aggregateId: "a", count: 2, size: LIMITS.commitBytes / 2 }],
  "17 aggregates": ["validation", "Spread", { aggregateId: "a", writes: LIMITS.written + 1, reads: 0, size: 1 }],
  "17 verified aggregates": ["validation", "Spread", { aggregateId: "a", writes: 1, reads: LIMITS.verified + 1, size: 1 }],
  "a command beyond 1 MiB": ["validation", "Spread", { aggregateId: "a", writes: 8, reads: 0, size: LIMITS.commandBytes / 8 }],
};

/** One clause for each mistake. */
const mistakes: readonly Clause[] = Object.entries(MISTAKES).map(([what, [code, name, data]]) => ({
  title: `refuses ${what} and writes nothing`,
  unopened: true,
  check: async (ground) => {
    await refuses(ground, untyped(ground)(tellerOf(ground.tenant), name, data), code);
  },
}));

/** What the engine promises of bad input, on every store. */
export const engineInput: Facet = {
  name: "bad input through the command handler",
  clauses: [
    ...ids,
    ...values,
    ...mistakes,
    {
      title:
        "takes every odd id as an aggregate's and a command's, and gives each a state, a history, a receipt and a view of its own",
      check: async (ground) => {
        const ids = Object.values(ACCEPTED_IDS);
        const actor = tellerOf(ground.tenant);
        const send = (handler: ReturnType<typeof walletsOn>, aggregateId: string, index: number) =>
          handler.command(actor, "Deposit", { amount: index + 1, aggregateId, expectedVersion: -1 }, { commandId: aggregateId });
        const handler = walletsOn(ground);
        for (const replayed of [false, true]) {
          // Together, because they are on different aggregates.
          const contexts = await Promise.all(ids.map((id, index) => send(handler, id, index)));
          expect(contexts.map((context) => [context.aggregateId, context.aggregate.balance, context.replayed])).to.deep.equal(
            ids.map((id, index) => [id, index + 1, replayed]),
          );
        }
        const cold = walletsOn(ground);
        const loaded = await Promise.all(ids.map((id) => cold.load(actor, Wallet, id)));
        expect(loaded.map((wallet) => wallet?.balance)).to.deep.equal(ids.map((_, index) => index + 1));
        const histories = await Promise.all(ids.map((id) => cold.history(actor, Wallet, id)));
        expect(histories.map((commits) => commits.map(({ id }) => id))).to.deep.equal(ids.map((id) => [id]));
        await pollUntilIdle(new StreamReader(ground.store, { platform: ground.clock }), ground.tenant, "main", [
          new Bookkeeper(),
        ]);
        const bookings = await listAll(ground.store, ground.tenant, "bookings");
        expect(bookings.map(({ id, value }) => [id, value])).to.have.deep.members(
          ids.map((id, index) => [id, { balance: index + 1, payments: 1 }]),
        );
      },
    },
    {
      title: "refuses whoever is no actor and writes nothing",
      unopened: true,
      check: async (ground) => {
        const look = { id: "ada", name: "ada", tenant: ground.tenant, roles: ["teller"] };
        for (const nobody of [undefined, null])
          await refuses(ground, untyped(ground)(nobody, "Deposit", { amount: 1 }), "missing_argument");
        for (const nobody of [look, "ada"])
          await refuses(ground, untyped(ground)(nobody, "Deposit", { amount: 1 }), "invalid_argument");
      },
    },
    {
      title: "refuses actors without the role, before anything is read or opened",
      unopened: true,
      check: async (ground) => {
        for (const roles of [[], ["auditor"], ["Teller"]]) {
          const actor = tellerOf(ground.tenant, "eve", roles);
          await refuses(ground, untyped(ground)(actor, "Deposit", { amount: 1, aggregateId: "a" }), "authorization");
        }
      },
    },
    {
      title: `takes ${LIMITS.events} events, ${LIMITS.written} aggregates and ${LIMITS.verified} verified ones: the limits are included`,
      check: async (ground) => {
        const handler = walletsOn(ground);
        const actor = tellerOf(ground.tenant);
        const many = await handler.command(actor, "NoteMany", { aggregateId: "many", count: LIMITS.events, size: 1 });
        expect(many.aggregate.notes).to.equal(LIMITS.events);
        await handler.command(actor, "Spread", {
          aggregateId: "write-0",
          writes: LIMITS.written,
          reads: LIMITS.verified,
          size: 1,
        });
        const order = (await readAll(ground, ground.tenant)).commits.map(({ id }) => id);
        expect(order).to.deep.equal(["many", ...Array.from({ length: LIMITS.written }, (_, n) => `write-${n}`)]);
      },
    },
  ],
};
