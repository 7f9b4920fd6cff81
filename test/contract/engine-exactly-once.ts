import { expect } from "chai";
import { encodeView, type Json, StreamReader, ValidationError } from "../../core/index.ts";
import { CrashingStore } from "../support/crashing-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { thrown } from "../support/thrown.ts";
import type { Clause, Facet, Ground } from "./clause.ts";
import { listAll } from "./reading.ts";
import { Bookkeeper, NotesOnView, tellerOf, walletsOn } from "./wallet.ts";

const LEASE_MS = 10_000;

/** What the wallets' views must be after deposits of 1, 2, 3 … to three wallets in turn. */
function expectedBookings(deposits: number): Readonly<Record<string, { balance: number; payments: number }>> {
  const bookings: Record<string, { balance: number; payments: number }> = {};
  for (let n = 0; n < deposits; n++) {
    const { balance, payments } = bookings[`w${n % 3}`] ?? { balance: 0, payments: 0 };
    bookings[`w${n % 3}`] = { balance: balance + n + 1, payments: payments + 1 };
  }
  return bookings;
}

async function bookingsOf({ store, tenant }: Ground): Promise<Readonly<Record<string, unknown>>> {
  return Object.fromEntries((await listAll(store, tenant, "bookings")).map(({ id, value }) => [id, value]));
}

/** One clause for each seed: readers die at random cursor commits, before or after the write, while commands go on. */
const crashes: readonly Clause[] = [1, 2, 3, 4].map((seed) => ({
  title: `count each event once however often readers die (seed ${seed})`,
  check: async (ground) => {
    const { store, clock, tenant } = ground;
    const random = seededRandom(seed);
    const crashing = new CrashingStore(store);
    const handler = walletsOn(ground);
    let deposits = 0;
    let deaths = 0;
    for (let round = 0; round < 25; round++) {
      for (let more = random.below(3); more >= 0; more--) {
        await handler.command(tellerOf(tenant), "Deposit", { amount: deposits + 1, aggregateId: `w${deposits % 3}` });
        deposits += 1;
      }
      crashing.crash = () => (random.chance(0.5) ? (random.chance(0.5) ? "before" : "after") : undefined);
      const reader = new StreamReader(crashing, { platform: clock });
      await reader.poll(tenant, "main", [new Bookkeeper()], { limit: 1 + random.below(4), lease: LEASE_MS }).catch(() => {
        deaths += 1;
      });
      clock.turn(random.chance(0.7) ? LEASE_MS + 1 : 0);
    }
    clock.turn(LEASE_MS + 1);
    await pollUntilIdle(new StreamReader(store, { platform: clock }), tenant, "main", [new Bookkeeper()]);
    expect(deaths).to.be.above(0);
    expect(await bookingsOf(ground)).to.deep.equal(expectedBookings(deposits));
  },
}));

/** A text of so many bytes; views repeat it, so that one event can make a view that is too large. */
const HALF = "x".repeat(130 * 1024);

/** Shapes that some store could not keep as native fields, with the reason in a word. */
const SHAPES: Readonly<Record<string, () => Json>> = {
  "objects nested beyond 16": () => {
    let deep: Json = {};
    for (let depth = 0; depth < 16; depth++) deep = { deep };
    return deep;
  },
  "an empty key": () => ({ "": 1 }),
  "a reserved key": () => ({ __name__: 1 }),
  "a reserved key, deep inside": () => [{ in: { __type__: 1 } }],
  "an array directly in an array": () => [[1]],
  "a number too large": () => 1.1e120,
  "a number too small": () => 9e-121,
  "a negative number too large": () => -1.1e120,
  "more than 256 KiB": () => HALF,
};

/** One clause for each shape: the event is stored, its view is refused, and the reader stands at it. */
const shapes: readonly Clause[] = Object.entries(SHAPES).map(([what, make]) => ({
  title: `refuse a view with ${what}: none is written and the projection stands at the event`,
  check: async (ground) => {
    const { store, clock, tenant } = ground;
    thrown(ValidationError, () => encodeView({ value: make(), again: what === "more than 256 KiB" ? make() : null }));
    const handler = walletsOn(ground);
    const notes = new NotesOnView();
    await handler.command(tellerOf(tenant), "Note", { aggregateId: "good", value: "fine" });
    await handler.command(tellerOf(tenant), "Note", { aggregateId: "bad", value: make() });
    const reader = new StreamReader(store, { platform: clock, retries: 0 });
    let blocked: Awaited<ReturnType<StreamReader["poll"]>>["blocked"] = [];
    for (let polls = 0; polls < 50 && blocked.length === 0; polls++) ({ blocked } = await reader.poll(tenant, "main", [notes]));
    expect(blocked[0]).to.include({ handler: "NotesOnView", halted: true, index: 0 });
    expect(blocked[0]!.error).to.match(/ValidationError/);
    expect(await listAll(store, tenant, "notes")).to.deep.equal([{ id: "good", value: { value: "fine" } }]);
    await reader.skip(tenant, "main", "NotesOnView", "the note does not fit");
    await handler.command(tellerOf(tenant), "Note", { aggregateId: "good", value: "still fine" });
    await pollUntilIdle(reader, tenant, "main", [notes]);
    expect(await listAll(store, tenant, "notes")).to.deep.equal([{ id: "good", value: { value: "still fine" } }]);
  },
}));

/** What the engine promises of projections, on every store. */
export const engineExactlyOnce: Facet = {
  name: "projections and their readers",
  clauses: [
    ...crashes,
    {
      title: "count each event once although four readers race for the thread",
      check: async (ground) => {
        const { store, clock, tenant } = ground;
        const handler = walletsOn(ground);
        let isDone = false;
        const read = async () => {
          const reader = new StreamReader(store, { platform: clock });
          for (let isLast = false; !isLast; ) {
            isLast = isDone;
            await reader.poll(tenant, "main", [new Bookkeeper()], { limit: 3, lease: 15 * 60_000 });
            await new Promise(setImmediate);
          }
        };
        const readers = Promise.all([read(), read(), read(), read()]);
        try {
          for (let n = 0; n < 30; n++)
            await handler.command(tellerOf(tenant), "Deposit", { amount: n + 1, aggregateId: `w${n % 3}` });
        } finally {
          isDone = true;
        }
        await readers;
        await pollUntilIdle(new StreamReader(store, { platform: clock }), tenant, "main", [new Bookkeeper()]);
        expect(await bookingsOf(ground)).to.deep.equal(expectedBookings(30));
      },
    },
    {
      title: "keep each write within what a store takes, however many views one poll makes",
      check: async (ground) => {
        const { store, clock, tenant } = ground;
        const handler = walletsOn(ground);
        const ids = Array.from({ length: 120 }, (_, n) => `w${n}`);
        const depositOnAll = () =>
          Promise.all(ids.map((aggregateId) => handler.command(tellerOf(tenant), "Deposit", { aggregateId, amount: 1 })));
        await depositOnAll();
        const [books, notes] = [new Bookkeeper(), new NotesOnView()];
        for (let n = 0; n < 15; n++)
          await handler.command(tellerOf(tenant), "Note", { aggregateId: `n${n}`, value: "x".repeat(120 * 1024) });
        const reader = new StreamReader(store, { platform: clock });
        for (let payments = 1; payments <= 2; payments++) {
          await pollUntilIdle(reader, tenant, "main", [books, notes], { limit: 1_000 });
          const bookings = await listAll(store, tenant, "bookings");
          expect(bookings.length).to.equal(120);
          for (const { value } of bookings) expect(value).to.deep.equal({ balance: payments, payments });
          await depositOnAll();
        }
        expect((await listAll(store, tenant, "notes")).length).to.equal(15);
      },
    },
    {
      title: "go on from where they were after the store refused their reader in the middle of many events",
      check: async (ground) => {
        const { store, clock, tenant } = ground;
        const handler = walletsOn(ground);
        for (let n = 0; n < 4; n++)
          await handler.command(tellerOf(tenant), "NoteMany", { aggregateId: `n${n}`, count: 60, size: 10 });
        const crashing = new CrashingStore(store);
        let writes = 0;
        crashing.crash = () => (++writes === 2 ? "after" : undefined);
        const notes = new NotesOnView();
        await new StreamReader(crashing, { platform: clock }).poll(tenant, "main", [notes]).catch(() => undefined);
        clock.turn(60_000);
        await pollUntilIdle(new StreamReader(store, { platform: clock }), tenant, "main", [notes]);
        const listed = await listAll(store, tenant, "notes");
        expect(listed.map(({ id }) => id)).to.have.members(["n0", "n1", "n2", "n3"]);
      },
    },
    ...shapes,
  ],
};
