import { expect } from "chai";
import type {
  Address,
  Commit,
  ExportRecord,
  IEventStore,
  JsonObject,
  ParkedEvent,
  ParkedKey,
  PositionedCommit,
  View,
  Waiting,
} from "../../core/index.ts";
import type { Ground } from "./clause.ts";
import { TYPE } from "./pending.ts";

/** How many reads in a row may bring nothing before the kit calls the reader stuck. */
const PATIENCE = 200;
/** How far the clock is turned at each read that waits: beyond any store's grace time for writers that died. */
const GRACE_MS = 15_000;

/** Where a reader stands after it has read on: what came, and the place to go on from. */
export interface Reading {
  readonly commits: readonly PositionedCommit[];
  readonly next: number;
}

/** Reads a tenant's order from a position until nothing more comes and nothing is waited for; checks each page by the way. */
export async function readAll(
  { store, clock }: Pick<Ground, "store"> & { readonly clock: { turn(ms: number): void } },
  tenant: string,
  { after = 0, limit = 100 }: { readonly after?: number; readonly limit?: number } = {},
): Promise<Reading> {
  const commits: PositionedCommit[] = [];
  let next = after;
  let waiting: Waiting | undefined;
  for (let barren = 0; barren < PATIENCE; barren++) {
    const page = await store.read(tenant, next, limit, waiting);
    expect(page.commits.length, "commits in a page").to.be.at.most(limit);
    expectRising([next, ...page.commits.map(({ position }) => position)]);
    expect(page.next, "next").to.be.at.least(page.commits.at(-1)?.position ?? next);
    if (page.waiting === undefined && page.next === next) return { commits, next };
    if (page.waiting !== undefined) expect(page.next, "next before the waited place").to.be.below(page.waiting.position);
    if (page.waiting !== undefined) clock.turn(GRACE_MS);
    if (page.next > next) barren = 0;
    commits.push(...page.commits);
    ({ next, waiting } = page);
  }
  throw new Error(`the reader of ${tenant} is stuck at ${next}, waiting for ${JSON.stringify(waiting)}`);
}

/** Fails unless the numbers are integers that strictly increase. */
export function expectRising(numbers: readonly number[]): void {
  for (const [index, number] of numbers.entries()) {
    expect(Number.isSafeInteger(number), `${number} is an integer`).to.equal(true);
    if (index > 0) expect(number, "position").to.be.above(numbers[index - 1]!);
  }
}

/** Fails unless the aggregate's loaded history is whole: it begins at version 0 or follows the snapshot without a hole. */
export async function loadWhole(
  store: IEventStore,
  address: Address,
): Promise<{ readonly version: number; readonly commits: readonly Commit[] }> {
  const { snapshot, commits } = await store.load(address);
  const first = (snapshot?.version ?? -1) + 1;
  expect(commits.map(({ version }) => version)).to.deep.equal(commits.map((_, index) => first + index));
  return { version: first + commits.length - 1, commits };
}

/** The version that an aggregate stands at. */
export async function versionOf(store: IEventStore, tenant: string, id: string, type = TYPE): Promise<number> {
  return (await loadWhole(store, { tenant, type, id })).version;
}

/** An aggregate's whole history, without a snapshot. */
export async function historyOf(store: IEventStore, tenant: string, id: string, type = TYPE): Promise<readonly Commit[]> {
  const { snapshot, commits } = await store.load({ tenant, type, id }, { after: -1 });
  expect(snapshot, "snapshot of a load with after").to.equal(undefined);
  return commits;
}

/** All views of a collection, in the order of its pages. */
export async function listAll(store: IEventStore, tenant: string, collection: string, limit = 100): Promise<readonly View[]> {
  const views: View[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < 2_000; pages++) {
    const page = await store.views(tenant, collection).list({ limit, ...(after === undefined ? {} : { after }) });
    expect(page.views.length, "views in a page").to.be.at.most(limit);
    views.push(...page.views);
    if (page.next === undefined) return views;
    after = page.next;
  }
  throw new Error(`the list of ${collection} does not end`);
}

/** One view of a collection. */
export async function viewOf(
  store: IEventStore,
  tenant: string,
  collection: string,
  id: string,
): Promise<JsonObject | undefined> {
  return (await store.views(tenant, collection).get([id]))[0];
}

/** All parked events of a thread, in the order of its pages. */
export async function parkedAll(
  store: IEventStore,
  tenant: string,
  thread: string,
  { handler, limit = 100 }: { readonly handler?: string; readonly limit?: number } = {},
): Promise<readonly ParkedEvent[]> {
  const parked: ParkedEvent[] = [];
  let after: ParkedKey | undefined;
  for (let pages = 0; pages < 2_000; pages++) {
    const page = await store.parked(tenant, thread, {
      limit,
      ...(handler === undefined ? {} : { handler }),
      ...(after === undefined ? {} : { after }),
    });
    expect(page.parked.length, "parked events in a page").to.be.at.most(limit);
    parked.push(...page.parked);
    if (page.next === undefined) return parked;
    after = page.next;
  }
  throw new Error(`the list of parked events of ${thread} does not end`);
}

/** Every record of a tenant's export. */
export async function exportAll(store: IEventStore, tenant: string): Promise<readonly ExportRecord[]> {
  const records: ExportRecord[] = [];
  for await (const record of store.export(tenant)) records.push(record);
  return records;
}

/** Records as `import` takes them. */
export async function* stream(records: readonly ExportRecord[]): AsyncGenerator<ExportRecord> {
  yield* records;
}
