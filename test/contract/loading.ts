import { expect } from "chai";
import type { LoadOptions } from "../../core/index.ts";
import type { Clause, Facet } from "./clause.ts";
import { TYPE } from "./pending.ts";
import { grow } from "./writing.ts";

/** How many commits the aggregate of these clauses has, with a snapshot at each. */
const COMMITS = 6;

interface Part {
  readonly options: LoadOptions;
  readonly versions: readonly number[];
}

/** Which versions each way of loading a part gives. */
const PARTS: readonly Part[] = [
  { options: { after: -1 }, versions: [0, 1, 2, 3, 4, 5] },
  { options: { after: 0 }, versions: [1, 2, 3, 4, 5] },
  { options: { after: 3 }, versions: [4, 5] },
  { options: { after: 5 }, versions: [] },
  { options: { after: 99 }, versions: [] },
  { options: { upTo: 0 }, versions: [0] },
  { options: { upTo: 3 }, versions: [0, 1, 2, 3] },
  { options: { upTo: 5 }, versions: [0, 1, 2, 3, 4, 5] },
  { options: { upTo: 99 }, versions: [0, 1, 2, 3, 4, 5] },
  { options: { after: 1, upTo: 4 }, versions: [2, 3, 4] },
  { options: { after: 4, upTo: 4 }, versions: [] },
  { options: { after: -1, limit: 1 }, versions: [0] },
  { options: { after: -1, limit: 4 }, versions: [0, 1, 2, 3] },
  { options: { after: 2, limit: 2 }, versions: [3, 4] },
  { options: { after: 3, limit: 99 }, versions: [4, 5] },
  { options: { after: 0, upTo: 4, limit: 2 }, versions: [1, 2] },
];

/** One clause for each way of loading a part. */
const parts: readonly Clause[] = PARTS.map(({ options, versions }) => ({
  title: `loads versions [${versions}] of ${COMMITS} commits for ${JSON.stringify(options)}, without a snapshot`,
  check: async ({ store, tenant }) => {
    await grow(store, tenant, "a", COMMITS, { snapshots: true });
    const { snapshot, commits } = await store.load({ tenant, type: TYPE, id: "a" }, options);
    expect(snapshot).to.equal(undefined);
    expect(commits.map(({ version }) => version)).to.deep.equal(versions);
    for (const { version, events } of commits) expect(events[0]!.payload).to.deep.equal({ n: version });
  },
}));

/** What a store promises of loading a part of an aggregate. */
export const loading: Facet = { name: "loading a part", clauses: parts };
