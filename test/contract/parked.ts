import { expect } from "chai";
import type { ParkedEvent } from "../../core/index.ts";
import { MAX_CURSOR_WRITES } from "../../core/ports/threads.ts";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import type { Clause, Facet, Ground } from "./clause.ts";
import { parkedAll } from "./reading.ts";
import { hold, moves } from "./writing.ts";

function parkedAt(handler: string, position: number, index = 0, facts: Partial<ParkedEvent> = {}): ParkedEvent {
  return {
    handler,
    position,
    index,
    event: "Changed",
    attempts: 3,
    error: "no such account",
    parkedAt: 1_700_000_000_000,
    ...facts,
  };
}

/** Parked events in the order that a list must have; numbers that sort otherwise as texts. */
const IN_ORDER: readonly ParkedEvent[] = [
  parkedAt("A", 9),
  parkedAt("A", 10, 2),
  parkedAt("A", 10, 10),
  parkedAt("A", 100),
  parkedAt("B", 2),
  parkedAt("B", 1_000_000_007),
  parkedAt("B2", 1),
  parkedAt("a", 1, 63),
];

async function parkAll({ store, tenant }: Ground): Promise<void> {
  const shuffled = [5, 2, 7, 0, 4, 1, 6, 3].map((place) => IN_ORDER[place]!);
  await moves(store, await hold(store, tenant, "main"), { park: shuffled });
}

/** One clause for each size of page. */
const pages: readonly Clause[] = [1, 2, 3, 8, 1_000].map((limit) => ({
  title: `lists parked events by handler, position and index, in pages of ${limit}`,
  check: async (ground) => {
    await parkAll(ground);
    expect(await parkedAll(ground.store, ground.tenant, "main", { limit })).to.deep.equal(IN_ORDER);
  },
}));

/** What a store promises of the dead letters of a thread. */
export const parked: Facet = {
  name: "parked events",
  clauses: [
    ...pages,
    {
      title: "lists the parked events of one handler only, also of one whose name begins like another's",
      check: async (ground) => {
        await parkAll(ground);
        for (const handler of ["A", "B", "B2", "a", "C"]) {
          const expected = IN_ORDER.filter((event) => event.handler === handler);
          for (const limit of [1, 100]) {
            expect(await parkedAll(ground.store, ground.tenant, "main", { handler, limit }), handler).to.deep.equal(expected);
          }
        }
      },
    },
    {
      title: "keeps every fact of a parked event, frozen",
      check: async ({ store, tenant }) => {
        const event = parkedAt("H", 7, 63, { event: "Zu teuer", attempts: 12, error: "💥 “ä”\n".repeat(100) });
        await moves(store, await hold(store, tenant, "main"), { park: [event] });
        const [kept] = await parkedAll(store, tenant, "main");
        expect(kept).to.deep.equal(event);
        expect(isDeepFrozen(kept)).to.equal(true);
      },
    },
    {
      title: "replaces an event that is parked again",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        await moves(store, lease, { park: [parkedAt("H", 7)] });
        await moves(store, lease, { park: [parkedAt("H", 7, 0, { attempts: 4, error: "still not" })] });
        expect(await parkedAll(store, tenant, "main")).to.deep.equal([parkedAt("H", 7, 0, { attempts: 4, error: "still not" })]);
      },
    },
    {
      title: "takes back the parked event that is named, and no other",
      check: async (ground) => {
        await parkAll(ground);
        const { store, tenant } = ground;
        const lease = await hold(store, tenant, "main");
        await moves(store, lease, { unpark: [{ handler: "A", position: 10, index: 2 }] });
        await moves(store, lease, { unpark: [{ handler: "A", position: 10, index: 1 }] });
        expect(await parkedAll(store, tenant, "main")).to.deep.equal(IN_ORDER.filter((_, place) => place !== 1));
      },
    },
    {
      title: "parks, takes back and moves the cursor in one write",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        await moves(store, lease, { park: [parkedAt("H", 3)] });
        await moves(store, lease, {
          cursors: { H: { position: 4 } },
          park: [parkedAt("H", 4)],
          unpark: [{ handler: "H", position: 3, index: 0 }],
        });
        expect(await parkedAll(store, tenant, "main")).to.deep.equal([parkedAt("H", 4)]);
        expect((await store.peek(tenant, "main")).thread.cursors).to.deep.equal({ H: { position: 4 } });
      },
    },
    {
      title: "goes on after a parked event that was taken back meanwhile",
      check: async (ground) => {
        await parkAll(ground);
        const { store, tenant } = ground;
        const { parked: first, next } = await store.parked(tenant, "main", { limit: 3 });
        expect(first).to.deep.equal(IN_ORDER.slice(0, 3));
        await moves(store, await hold(store, tenant, "main"), { unpark: [{ handler: "A", position: 10, index: 10 }] });
        const rest = await store.parked(tenant, "main", { limit: 100, after: next! });
        expect(rest.parked).to.deep.equal(IN_ORDER.slice(3));
      },
    },
    {
      title: "keeps the parked events of each thread apart",
      check: async (ground) => {
        await parkAll(ground);
        const { store, tenant } = ground;
        for (const thread of ["main-2", "mai", "Main"]) expect(await parkedAll(store, tenant, thread), thread).to.deep.equal([]);
        await moves(store, await hold(store, tenant, "side"), {
          park: [parkedAt("A", 9)],
          unpark: [{ handler: "A", position: 10, index: 2 }],
        });
        expect(await parkedAll(store, tenant, "side")).to.deep.equal([parkedAt("A", 9)]);
        expect(await parkedAll(store, tenant, "main")).to.deep.equal(IN_ORDER);
      },
    },
    {
      title: `parks ${MAX_CURSOR_WRITES} events in one write, and takes them back in one`,
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        const many = Array.from({ length: MAX_CURSOR_WRITES }, (_, n) => parkedAt("H", Math.floor(n / 10) + 1, n % 10));
        await moves(store, lease, { cursors: { H: { position: 9 } }, park: many });
        expect(await parkedAll(store, tenant, "main", { limit: 40 })).to.deep.equal(many);
        await moves(store, lease, { unpark: many.map(({ handler, position, index }) => ({ handler, position, index })) });
        expect(await parkedAll(store, tenant, "main")).to.deep.equal([]);
      },
    },
  ],
};
