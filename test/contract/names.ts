import { expect } from "chai";
import type { Clause } from "./clause.ts";
import { pending } from "./pending.ts";
import { listAll, parkedAll, readAll, versionOf } from "./reading.ts";
import { commits, cursorsOf, grow, hold, moves, project } from "./writing.ts";

/** Names that are allowed and that a store might trip over. */
const NAMES = [
  "constructor",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "0",
  "007",
  "null",
  "undefined",
  "true",
  "a-",
  "Z_",
  "n".repeat(64),
];

/** One clause for each name: it serves as the name of everything that has a name but the tenant. */
export const oddNames: readonly Clause[] = NAMES.map((name) => ({
  title: `takes ${name.length > 20 ? `a name of ${name.length} letters` : name} as the name of a type, thread, handler, collection and event`,
  check: async ({ store, tenant, clock }) => {
    await grow(store, tenant, "a", 2, { type: name, events: [{ name, payload: { [name]: 1 }, schemaVersion: 0 }] });
    await commits(store, tenant, pending({ id: name, version: 0 }));
    expect(await versionOf(store, tenant, "a", name)).to.equal(1);
    const read = (await readAll({ store, clock }, tenant)).commits;
    expect(read.map(({ type, id }) => ({ type, id }))).to.deep.include.members([{ type: name, id: "a" }]);
    expect(read[0]!.events).to.deep.equal([{ name, payload: { [name]: 1 }, schemaVersion: 0 }]);
    const lease = await project(store, tenant, name, { [name]: { [name]: true } }, { thread: name, handler: name });
    expect(await listAll(store, tenant, name)).to.deep.equal([{ id: name, value: { [name]: true } }]);
    const parked = { handler: name, position: 1, index: 0, event: name, attempts: 1, error: name, parkedAt: 1 };
    await moves(store, lease, { cursors: { [name]: { position: 7, collection: name } }, park: [parked] });
    expect(Object.entries(await cursorsOf(store, tenant, name))).to.deep.equal([[name, { position: 7, collection: name }]]);
    expect(await parkedAll(store, tenant, name)).to.deep.equal([parked]);
    expect((await hold(store, tenant, name)).fence).to.equal(lease.fence + 1);
  },
}));
