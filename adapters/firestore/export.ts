import { type ExportRecord, type ParkedKey, TenantError, type TenantStatus } from "../../core/index.ts";
import { commitRecord, threadRecords } from "../../core/store-kit.ts";
import type { Database } from "./database.ts";
import { kindPath } from "./keys.ts";
import type { LogState } from "./log-document.ts";
import type { Logs } from "./logs.ts";
import { headOf, type Order } from "./order.ts";
import { parkedPage } from "./parked.ts";
import { threadIn } from "./thread-document.ts";

/** How many commits, threads or parked events are read at once. */
const PAGE = 200;

/** What an export reads from. */
export interface ExportSetting {
  readonly database: Database;
  readonly logs: Logs;
  readonly order: Order;
  readonly statusOf: (tenant: string) => Promise<TenantStatus>;
}

/** The records of a tenant up to its head at the call, which is looked up at once. Positions are dense already. */
export function exportTenant(setting: ExportSetting, tenant: string): AsyncIterable<ExportRecord> {
  const log = setting.logs.fetch(tenant).then(({ state }) => state);
  // Whoever never reads the export never sees its failure.
  log.catch(() => {});
  return recordsOf(setting, tenant, log);
}

async function* recordsOf(
  setting: ExportSetting,
  tenant: string,
  log: Promise<LogState | undefined>,
): AsyncGenerator<ExportRecord, void> {
  const { database, order, statusOf } = setting;
  const state = await log;
  if (state === undefined) throw new TenantError(tenant, await statusOf(tenant));
  const head = headOf(state);
  yield { kind: "tenant", format: 1, tenant };
  for (let position = 0; position < head; ) {
    const commits = await order.commits(tenant, state, position, PAGE);
    if (commits === undefined || commits.length === 0) throw new TenantError(tenant, await statusOf(tenant));
    for (const commit of commits) yield commitRecord(commit, commit.position);
    position += commits.length;
  }
  for (let after: string | undefined, isLast = false; !isLast; ) {
    const page = await database.list(kindPath(tenant, "threads"), { limit: PAGE, ...(after !== undefined && { after }) });
    for (const document of page) {
      const thread = threadIn(document);
      if (thread !== undefined)
        yield* threadRecords(document.id, thread.cursors, await parkedOf(database, tenant, document.id), head);
    }
    after = page.at(-1)?.id;
    isLast = page.length < PAGE;
  }
  const { state: later } = await setting.logs.fetch(tenant);
  if (later?.life !== state.life) throw new TenantError(tenant, await statusOf(tenant));
  yield { kind: "end", commits: head };
}

async function parkedOf(database: Database, tenant: string, thread: string) {
  const parked = [];
  for (let after: ParkedKey | undefined, isLast = false; !isLast; ) {
    const page = await parkedPage(database, tenant, thread, { limit: PAGE, ...(after && { after }) });
    parked.push(...page.parked);
    after = page.next;
    isLast = after === undefined;
  }
  return parked;
}
