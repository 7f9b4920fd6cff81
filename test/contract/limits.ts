import { expect } from "chai";
import { type ExportRecord, encode, LIMITS } from "../../core/index.ts";
import type { Facet } from "./clause.ts";
import { eventOf, pending, TYPE } from "./pending.ts";
import { historyOf, loadWhole, readAll, stream, versionOf } from "./reading.ts";
import { commits, expectStatus } from "./writing.ts";

/** A payload whose one event has exactly this many bytes of JSON, of letters of `letter`. */
function payloadOf(bytes: number, letter = "x"): { readonly text: string } {
  const frame = encode([eventOf({ text: "" })]).bytes;
  const size = encode(letter).bytes - 2;
  const rest = (bytes - frame) % size;
  return { text: letter.repeat(Math.floor((bytes - frame) / size)) + "x".repeat(rest) };
}

/** The export of a tenant with one long aggregate: so many commits, of so many bytes each. */
function* longExport(count: number, bytes: number): Generator<ExportRecord> {
  yield { kind: "tenant", format: 1, tenant: "long" };
  for (let version = 0; version < count; version++) {
    const { writes, verified: _, ...facts } = pending({ id: "long", version, payload: { n: version, ...payloadOf(bytes) } });
    const { bytes: _bytes, ...write } = writes[0]!;
    yield { kind: "commit", position: version + 1, commit: { ...facts, ...write } };
  }
  yield { kind: "end", commits: count };
}

/** What a store promises to bear: each clause goes to a limit that core enforces. */
export const limits: Facet = {
  name: "limits",
  clauses: [
    {
      title: `takes ${LIMITS.events} events in one commit`,
      check: async ({ store, tenant, clock }) => {
        const events = Array.from({ length: LIMITS.events }, (_, n) => eventOf({ n }, `Event${n % 7}`, n % 3));
        await commits(store, tenant, pending({ id: "a", version: 0, events }));
        expect((await historyOf(store, tenant, "a"))[0]!.events).to.deep.equal(events);
        expect((await readAll({ store, clock }, tenant)).commits[0]!.events).to.deep.equal(events);
      },
    },
    ...["x", "ä", "😀", '"', "\u0001"].map(
      (letter) =>
        ({
          title: `takes ${LIMITS.commitBytes} bytes in one commit, of the letter ${JSON.stringify(letter)}`,
          check: async ({ store, tenant, clock }) => {
            const payload = payloadOf(LIMITS.commitBytes, letter);
            const commit = await commits(store, tenant, pending({ id: "a", version: 0, payload }));
            expect(commit.writes[0]!.bytes).to.equal(LIMITS.commitBytes);
            expect((await historyOf(store, tenant, "a"))[0]!.events[0]!.payload.text === payload.text).to.equal(true);
            expect((await readAll({ store, clock }, tenant)).commits[0]!.events[0]!.payload.text === payload.text).to.equal(true);
          },
        }) satisfies Facet["clauses"][number],
    ),
    {
      title: `takes ${LIMITS.commandBytes} bytes on ${LIMITS.written} aggregates in one commit`,
      check: async ({ store, tenant }) => {
        const payload = payloadOf(LIMITS.commandBytes / LIMITS.written);
        const writes = Array.from({ length: LIMITS.written }, (_, n) => ({ id: `a${n}`, version: 0, payload }));
        await commits(store, tenant, pending(writes));
        for (const { id } of writes)
          expect((await historyOf(store, tenant, id))[0]!.events[0]!.payload.text === payload.text).to.equal(true);
      },
    },
    {
      title: "takes a commit of 256 KiB with a snapshot of 256 KiB",
      check: async ({ store, tenant }) => {
        const payload = payloadOf(LIMITS.commitBytes);
        for (let version = 0; version < 2; version++)
          await commits(store, tenant, pending({ id: "a", version, payload, snapshot: { schema: 0, state: payload } }));
        expect(await versionOf(store, tenant, "a")).to.equal(1);
      },
    },
    {
      title: "takes a group of a hundred commits",
      check: async ({ store, tenant, clock }) => {
        const ids = Array.from({ length: 100 }, (_, n) => `a${n}`);
        const outcomes = await store.commit(
          tenant,
          ids.map((id) => pending({ id, version: 0, snapshot: { schema: 0, state: { id } } })),
        );
        expect(outcomes.length).to.equal(100);
        for (const outcome of outcomes) expectStatus(outcome, "committed");
        expect((await readAll({ store, clock }, tenant)).commits.map(({ id }) => id)).to.have.members(ids);
      },
    },
    {
      title: "takes a group of four megabytes, and reads it in one page",
      check: async ({ store, tenant, clock }) => {
        const payload = payloadOf(250 * 1024);
        const ids = Array.from({ length: 16 }, (_, n) => `a${n}`);
        const outcomes = await store.commit(
          tenant,
          ids.map((id) => pending({ id, version: 0, payload })),
        );
        for (const outcome of outcomes) expectStatus(outcome, "committed");
        const read = (await readAll({ store, clock }, tenant, { limit: 1_000 })).commits;
        expect(read.map(({ id }) => id)).to.have.members(ids);
        for (const { events } of read) expect(events[0]!.payload.text === payload.text).to.equal(true);
      },
    },
    {
      title: "loads an aggregate of a thousand commits and three megabytes whole",
      unopened: true,
      check: async ({ store, tenant }) => {
        await store.import(tenant, stream([...longExport(1_000, 3 * 1024)]));
        const { version, commits: history } = await loadWhole(store, { tenant, type: TYPE, id: "long" });
        expect({ version, length: history.length }).to.deep.equal({ version: 999, length: 1_000 });
        for (const commit of history) expect(commit.events[0]!.payload.n).to.equal(commit.version);
        const tail = await store.load({ tenant, type: TYPE, id: "long" }, { after: 989 });
        expect(tail.commits.map((commit) => commit.version)).to.deep.equal([990, 991, 992, 993, 994, 995, 996, 997, 998, 999]);
        await commits(store, tenant, pending({ id: "long", version: 1_000 }));
        expect(await versionOf(store, tenant, "long")).to.equal(1_000);
      },
    },
    {
      title: "reads a thousand commits in one page, and the next thousand after them",
      unopened: true,
      check: async ({ store, tenant, clock }) => {
        await store.import(tenant, stream([...longExport(1_500, 200)]));
        const read = (await readAll({ store, clock }, tenant, { limit: 1_000 })).commits;
        expect(read.map(({ version }) => version)).to.deep.equal(Array.from({ length: 1_500 }, (_, n) => n));
        expect((await readAll({ store, clock }, tenant, { limit: 1_000, after: read[998]!.position })).commits.length).to.equal(
          501,
        );
      },
    },
  ],
};
