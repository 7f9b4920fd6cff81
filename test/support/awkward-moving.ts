import type { ExportRecord, IEventStore, ParkedEvent } from "../../core/index.ts";
import type { SparseNumbers } from "./sparse-numbers.ts";

/** The inner store's export, with cursors and parked events counted in places instead of sparse numbers. */
export async function* exportRenumbered(
  inner: IEventStore,
  tenant: string,
  numbers: SparseNumbers,
): AsyncGenerator<ExportRecord> {
  let count = 0;
  for await (const record of inner.export(tenant)) {
    if (record.kind === "commit") count += 1;
    if (record.kind === "parked") continue;
    if (record.kind !== "thread") {
      yield record;
      continue;
    }
    const { thread } = record;
    const { cursors } = (await inner.peek(tenant, thread)).thread;
    const places = Object.keys(record.cursors).map(
      (handler) => [handler, Math.min(count, numbers.placeAt(cursors[handler]?.position ?? 0))] as const,
    );
    yield { ...record, cursors: Object.fromEntries(places) };
    for (const parked of await parkedOf(inner, tenant, thread)) {
      const position = numbers.placeAt(parked.position);
      if (cursors[parked.handler]?.collection === undefined && position <= count)
        yield { kind: "parked", thread, parked: { ...parked, position } };
    }
  }
}

/** Imports into the inner store and then moves its cursors and parked events from places to sparse numbers. */
export async function renumberImported(
  inner: IEventStore,
  tenant: string,
  records: AsyncIterable<ExportRecord>,
  numbers: SparseNumbers,
): Promise<void> {
  const threads = new Set<string>();
  await inner.import(tenant, notingThreads(records, threads));
  for (const thread of threads) {
    const { thread: seen } = await inner.peek(tenant, thread);
    const lease = await inner.acquire(tenant, thread, seen, 0);
    if (lease === undefined) throw new Error(`somebody leased ${thread} during its import`);
    const parked = await parkedOf(inner, tenant, thread);
    await inner.commitCursors(lease, {
      cursors: Object.fromEntries(
        Object.entries(seen.cursors).map(([handler, cursor]) => [
          handler,
          { ...cursor, position: numbers.numberOf(cursor.position) },
        ]),
      ),
      unpark: parked,
      leasedUntil: 0,
    });
    await inner.commitCursors(lease, {
      cursors: {},
      park: parked.map((event) => ({ ...event, position: numbers.numberOf(event.position) })),
      leasedUntil: 0,
    });
  }
}

async function* notingThreads(records: AsyncIterable<ExportRecord>, threads: Set<string>): AsyncGenerator<ExportRecord> {
  for await (const record of records) {
    if (record.kind === "thread" || record.kind === "parked") threads.add(record.thread);
    yield record;
  }
}

async function parkedOf(inner: IEventStore, tenant: string, thread: string): Promise<readonly ParkedEvent[]> {
  return (await inner.parked(tenant, thread, { limit: 1_000 })).parked;
}
