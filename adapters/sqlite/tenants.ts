import { type ExportRecord, type ParkedEvent, type ParkedPage, TenantError } from "../../core/index.ts";
import { commitRecord, ImportOrder, threadRecords } from "../../core/store-kit.ts";
import type { TenantRow } from "./registry.ts";
import type { Tables } from "./tables.ts";

/** How many records one step of an export or import reads or writes. */
const STEP = 256;

/** Removes a tenant: closes its log, deletes its rows step by step, then marks it. A broken erasure goes on where it stopped. */
export async function erase(tables: Tables, tenant: string, now: () => number): Promise<void> {
  const { client, writer, registry } = tables;
  const begun = await writer.write(() => {
    const row = registry.find(tenant);
    if (row === undefined) throw new TenantError(tenant, "absent");
    return row.status === "erased" ? row : registry.begin(tenant, "erased");
  });
  if (begun.erased_at !== null) return;
  await sweepAll(tables, begun);
  await writer.write(() => registry.markErased(registry.sameLife(tenant, begun.life), now()));
  await client.forgetDeleted();
}

/** Fills a tenant from an export, step by step; it is open when all is there. */
export async function fill(tables: Tables, tenant: string, records: AsyncIterable<ExportRecord>): Promise<void> {
  const { writer, registry } = tables;
  const begun = await writer.write(() => {
    const status = registry.status(tenant);
    if (status === "open" || status === "suspended") throw TenantError.inUse(tenant, status);
    return registry.begin(tenant, "importing");
  });
  await sweepAll(tables, begun);
  const order = new ImportOrder();
  let batch: ExportRecord[] = [];
  const flush = async () => {
    const full = batch;
    batch = [];
    await writer.write(() => placeAll(tables, begun, full));
  };
  for await (const record of records) {
    batch.push(order.accept(record));
    if (batch.length >= STEP) await flush();
  }
  order.finish();
  await flush();
  await writer.write(() => registry.finishImport(registry.sameLife(tenant, begun.life)));
}

/** The records of a tenant, up to its head when this is called. */
export function records(tables: Tables, tenant: string): AsyncIterable<ExportRecord> {
  const { client, registry } = tables;
  const start = client.read(() => registry.required(tenant)).catch((error: unknown) => ({ error }));
  return generate(tables, start);
}

async function* generate(tables: Tables, start: Promise<TenantRow | { readonly error: unknown }>): AsyncGenerator<ExportRecord> {
  const { client, registry, log, threads } = tables;
  const row = await start;
  if ("error" in row) throw row.error;
  const same = <T>(read: () => T) =>
    client.read(() => {
      registry.sameLife(row.name, row.life);
      return read();
    });
  yield { kind: "tenant", format: 1, tenant: row.name };
  for (let after = 0; after < row.head; ) {
    const { commits, next } = await same(() => log.page(row, after, Math.min(row.head, after + STEP)));
    for (const commit of commits) yield commitRecord(commit, commit.position);
    after = next;
  }
  for (const thread of await same(() => threads.names(row))) {
    const { cursors } = await same(() => threads.stateOf(row, thread));
    yield* threadRecords(thread, cursors, parkedIn(tables, row, thread), row.head);
  }
  yield { kind: "end", commits: row.head };
}

async function* parkedIn({ client, registry, parked }: Tables, row: TenantRow, thread: string): AsyncGenerator<ParkedEvent> {
  let page: ParkedPage | undefined;
  do {
    const options = { limit: STEP, ...(page?.next && { after: page.next }) };
    page = await client.read(() => parked.page(registry.sameLife(row.name, row.life), thread, options));
    yield* page.parked;
  } while (page.next !== undefined);
}

async function sweepAll({ writer, registry, sweep }: Tables, { name, life }: TenantRow): Promise<void> {
  while (await writer.write(() => sweep.step(registry.sameLife(name, life)))) {
    // Each step is a transaction of its own, so that others come in between.
  }
}

/** Where a record is refused, those before it stay: nobody can read them, and the next import deletes them. */
function placeAll(
  { registry, appender, threads, parked }: Tables,
  { name, life }: TenantRow,
  batch: readonly ExportRecord[],
): void {
  const row = registry.sameLife(name, life);
  let { head } = row;
  for (const record of batch) {
    if (record.kind === "commit") {
      appender.place(row, record.commit, record.position);
      head = record.position;
    }
    if (record.kind === "thread") threads.place(row, record.thread, record.cursors);
    if (record.kind === "parked") parked.park(row, record.thread, record.parked);
  }
  registry.setHead(row, head);
}
