import { expect } from "chai";
import type { PositionedCommit } from "../../core/index.ts";
import type { Facet, Ground } from "./clause.ts";
import { pending } from "./pending.ts";
import { historyOf, readAll } from "./reading.ts";
import { grow } from "./writing.ts";

/** Reads on until all writers are done and then to the end; what a reader sees that runs beside them. */
async function readBeside(ground: Ground, writers: Promise<unknown>, limit: number): Promise<readonly PositionedCommit[]> {
  let isDone = false;
  const done = writers.finally(() => {
    isDone = true;
  });
  // Awaited at the end; a failure of the reader must not leave it unhandled.
  done.catch(() => undefined);
  const seen: PositionedCommit[] = [];
  let after = 0;
  for (let isLast = false; !isLast; ) {
    isLast = isDone;
    const { commits, next } = await readAll(ground, ground.tenant, { after, limit });
    seen.push(...commits);
    after = next;
    await new Promise(setImmediate);
  }
  await done;
  return seen;
}

/** Grows several aggregates at once, each by single commits one after another. */
function writeBeside({ store, tenant }: Ground, aggregates: number, versions: number): Promise<unknown> {
  return Promise.all(Array.from({ length: aggregates }, (_, n) => grow(store, tenant, `a${n}`, versions)));
}

function namesOf(commits: readonly PositionedCommit[]): readonly string[] {
  return commits.map(({ id, version, position }) => `${id}@${version}=${position}`);
}

/** What a store promises of a tenant's order while writers and readers run side by side. */
export const orderRaces: Facet = {
  name: "order under concurrency",
  clauses: [
    {
      title: "shows a reader beside eight writers every commit, once, in the final order",
      check: async (ground) => {
        const seen = await readBeside(ground, writeBeside(ground, 8, 10), 7);
        expect(seen.length).to.equal(80);
        expect(namesOf(seen)).to.deep.equal(namesOf((await readAll(ground, ground.tenant)).commits));
      },
    },
    {
      title: "shows two readers beside the writers the same order",
      check: async (ground) => {
        const writers = writeBeside(ground, 6, 8);
        const [left, right] = await Promise.all([readBeside(ground, writers, 3), readBeside(ground, writers, 100)]);
        expect(left.length).to.equal(48);
        expect(namesOf(left)).to.deep.equal(namesOf(right));
      },
    },
    {
      title: "orders the commits of each aggregate by version, however many write at once",
      check: async (ground) => {
        await writeBeside(ground, 10, 6);
        const { commits } = await readAll(ground, ground.tenant);
        for (let n = 0; n < 10; n++) {
          const versions = commits.filter(({ id }) => id === `a${n}`).map(({ version }) => version);
          expect(versions).to.deep.equal([0, 1, 2, 3, 4, 5]);
        }
      },
    },
    {
      title: "shows a reader beside groups every member, and the parts of each commit in their order",
      check: async (ground) => {
        const { store, tenant } = ground;
        const write = async (writer: number) => {
          for (let version = 0; version < 4; version++) {
            const group = Array.from({ length: 5 }, (_, n) => {
              const ids = [`w${writer}-${n}-z`, `w${writer}-${n}-a`];
              return pending(ids.map((id) => ({ id, version })));
            });
            await store.commit(tenant, group);
          }
        };
        const seen = await readBeside(ground, Promise.all([write(0), write(1), write(2)]), 9);
        expect(seen.length).to.equal(120);
        expect(namesOf(seen)).to.deep.equal(namesOf((await readAll(ground, tenant)).commits));
        const firsts = new Map<string, string>();
        for (const { commitId, id } of seen) if (!firsts.has(commitId)) firsts.set(commitId, id);
        for (const first of firsts.values()) expect(first).to.match(/-z$/);
      },
    },
    {
      title: "lets contenders for one aggregate finish, each commit with its own version",
      check: async (ground) => {
        const { store, tenant } = ground;
        const push = async (writer: number) => {
          for (let tries = 0; tries < 100; tries++) {
            const version = (await historyOf(store, tenant, "hot")).length;
            const [outcome] = await store.commit(tenant, [pending({ id: "hot", version, payload: { writer } })]);
            if (outcome!.status === "committed") return;
          }
          throw new Error(`writer ${writer} never came through`);
        };
        await Promise.all(Array.from({ length: 8 }, (_, writer) => push(writer)));
        const { commits } = await readAll(ground, tenant);
        expect(commits.map(({ version }) => version)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
        expect(new Set(commits.map(({ events }) => events[0]!.payload.writer)).size).to.equal(8);
      },
    },
  ],
};
