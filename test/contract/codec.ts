import { expect } from "chai";
import type { Json, JsonObject } from "../../core/index.ts";
import type { Clause, Facet } from "./clause.ts";
import { eventOf, pending, TYPE } from "./pending.ts";
import { exportAll, historyOf, readAll, stream, viewOf } from "./reading.ts";
import { commits, project } from "./writing.ts";

/** A value nested this deep, the value itself at depth 1. */
function nested(depth: number, kind: "array" | "object"): Json {
  let value: Json = kind === "array" ? [] : {};
  for (let level = 1; level < depth; level++) value = kind === "array" ? [value] : { in: value };
  return value;
}

/** Values that drivers and databases like to change on the way; all must come back identical, as payload and as state. */
const VALUES: Readonly<Record<string, Json>> = {
  null: null,
  true: true,
  false: false,
  "the empty text": "",
  "the text null": "null",
  "the text of a number": "12",
  "the text of a date": "2024-02-29T12:00:00.000Z",
  "the text __proto__": "__proto__",
  "a text with quotes and backslashes": `"'\\/\`\\u0041`,
  "a text with line ends and tabs": "a\nb\r\nc\td\u2028e\u2029f",
  "a text with NUL and other controls": "\u0000\u0001\u001f\u007f\u0085",
  "a text outside the basic plane": "😀𝔘𠜎",
  "a text that is not in normal form": "e\u0301 \u212b",
  "a byte order mark and a noncharacter": "\ufeffa\uffff\ufffe",
  "a text of 64 KiB": "ä".repeat(32 * 1024),
  zero: 0,
  "minus one": -1,
  "a fraction that is not binary": 0.1,
  "a sum with a rounding error": 0.1 + 0.2,
  "seventeen digits": 0.12345678901234566,
  "the largest safe integer": Number.MAX_SAFE_INTEGER,
  "the smallest safe integer": Number.MIN_SAFE_INTEGER,
  "an integer beyond the safe ones": 2 ** 53 + 2,
  "a million as a whole number": 1e6,
  "a number with many zeros": 1e21,
  "the largest number": Number.MAX_VALUE,
  "the smallest number": Number.MIN_VALUE,
  "a number below every decimal of a database": 1.5e-300,
  "an empty array": [],
  "an empty object": {},
  "an array of null and mixed types": [null, 1, "1", true, [], {}],
  "arrays directly in arrays": [[[]], [[1], [2, [3]]]],
  "an object with an empty key": { "": 1 },
  "keys in the wrong order": { b: 1, a: 2, "10": 3, "9": 4 },
  "keys with dots, slashes, dollars and brackets": {
    "a.b": 1,
    "a/b": 2,
    $set: 3,
    "a[0]": 4,
    "`": 5,
    "~": 6,
    "*": 7,
    "#k": 8,
    ":v": 9,
  },
  "keys between double underscores": { __name__: 1, __type__: "x", ____: 2 },
  "keys that every object has": { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: null },
  "keys that look like a database's types": { S: "1", N: "2", NULL: true, M: {}, L: [], stringValue: "x" },
  "a key of a thousand letters": { ["k".repeat(1_000)]: 1 },
  "a key outside the basic plane": { "😀": 1 },
  "an object like a date or a buffer": { _seconds: 1, _nanoseconds: 2, type: "Buffer", data: [1, 2] },
  "an object with toJSON as a value": { toJSON: "no function" },
  "a thousand numbers": Array.from({ length: 1_000 }, (_, n) => n / 3),
  "a thousand keys": Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`key-${n}`, n])),
  "objects nested 99 deep": nested(99, "object"),
  "arrays nested 99 deep": nested(99, "array"),
};

/** One clause for each value, as the payload of an event and as the state of a snapshot. */
const events: readonly Clause[] = Object.entries(VALUES).map(([what, value]) => ({
  title: `brings ${what} back identical, in events, snapshots and the order`,
  check: async ({ store, tenant, clock }) => {
    const payload: JsonObject = { value };
    for (let version = 0; version < 3; version++)
      await commits(store, tenant, pending({ id: "a", version, payload, snapshot: { schema: 0, state: payload } }));
    const history = await historyOf(store, tenant, "a");
    expect(history.map(({ events: [event] }) => event!.payload)).to.deep.equal([payload, payload, payload]);
    const { snapshot } = await store.load({ tenant, type: TYPE, id: "a" });
    if (snapshot !== undefined) expect(snapshot.state).to.deep.equal(payload);
    const read = (await readAll({ store, clock }, tenant)).commits;
    expect(read.map(({ events: [event] }) => event!.payload)).to.deep.equal([payload, payload, payload]);
  },
}));

/** Values that views may hold, for views are native fields of the database. */
const VIEW_VALUES: Readonly<Record<string, Json>> = {
  "null, true and false": [null, true, false],
  "texts that look like other types": ["", "null", "12", "2024-02-29", "true"],
  "controls, quotes and line ends": '\u0000\u0001"\\\n\r\u2028',
  "texts outside the basic plane and not in normal form": ["😀", "e\u0301"],
  "numbers with seventeen digits": [0.1, 0.1 + 0.2, 0.12345678901234566, -1.234567890123457e-7],
  "integers up to the largest safe one": [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  "whole numbers as large as numbers may be": [1e21, 1e120, -1e120, 2 ** 53 + 2],
  "fractions as small as numbers may be": [1e-120, -1e-120, 1.7e-7],
  "empty arrays and objects": { array: [], object: {}, nested: [{ array: [] }] },
  "arrays in objects in arrays": [{ in: [{ in: [1, "x", null] }] }],
  "keys with dots, slashes, dollars and brackets": {
    "a.b": 1,
    "a/b": 2,
    $set: 3,
    "a[0]": 4,
    "`": 5,
    "~": 6,
    "*": 7,
    "#k": 8,
    ":v": 9,
  },
  "keys with spaces and letters of every plane": { " ": 1, é: 2, "😀": 3, "-": 4, "0": 5 },
  "keys that every object has": { constructor: 1, toString: 2, valueOf: 3 },
  "keys that look like a database's types": { S: "1", N: "2", M: {}, stringValue: "x", id: "x", value: 1, pk: 1, sk: 2 },
  "single underscores and reserved words": { _: 1, __a: 2, a__: 3, select: 4, size: 5, name: 6 },
  "objects nested as deep as a view may be": nested(15, "object"),
};

/** One clause for each value that a view may hold. */
const views: readonly Clause[] = Object.entries(VIEW_VALUES).map(([what, value]) => ({
  title: `brings ${what} back identical, in a view`,
  check: async ({ store, tenant }) => {
    await project(store, tenant, "balances", { a: { value }, b: { other: 1 } });
    expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ value });
    const listed = await store.views(tenant, "balances").list({ limit: 10 });
    expect(listed.views.find(({ id }) => id === "a")?.value).to.deep.equal({ value });
  },
}));

/** What a store promises of the values that it is given. */
export const codec: Facet = {
  name: "codec",
  clauses: [
    ...events,
    ...views,
    {
      title: "keeps the schema version and the odd name of an event",
      check: async ({ store, tenant }) => {
        const odd = [eventOf({}, "Zu teuer! 😀", 7), eventOf({}, "a.b/c", 0), eventOf({}, "constructor", 1_000_000)];
        await commits(store, tenant, pending({ id: "a", version: 0, events: odd }));
        expect((await historyOf(store, tenant, "a"))[0]!.events).to.deep.equal(odd);
      },
    },
    {
      title: "keeps the odd names of commands, actors, correlations and causations",
      check: async ({ store, tenant }) => {
        const odd = {
          command: "constructor",
          actor: { id: "a/b#😀", name: `"Ä" 'x'` },
          correlationId: "c#1/2 ä",
          causationId: "__proto__",
        };
        await commits(store, tenant, pending({ id: "a", version: 0 }, odd));
        expect((await historyOf(store, tenant, "a"))[0]).to.deep.include(odd);
      },
    },
    {
      title: "carries every value through export and import",
      check: async ({ store, tenant, newTenant }) => {
        const entries = Object.entries(VALUES);
        for (const [version, [, value]] of entries.entries())
          await commits(store, tenant, pending({ id: "a", version, payload: { value } }));
        const copy = newTenant();
        await store.import(copy, stream(await exportAll(store, tenant)));
        const history = await historyOf(store, copy, "a");
        expect(history.length).to.equal(entries.length);
        for (const [version, [what, value]] of entries.entries())
          expect(history[version]!.events[0]!.payload, what).to.deep.equal({ value });
      },
    },
  ],
};
