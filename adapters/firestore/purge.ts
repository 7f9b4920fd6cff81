import type { Database } from "./database.ts";
import { itemsPath, type Kind, kindPath, pathOf, statesPath, workKey } from "./keys.ts";

/** How many documents are deleted in one batch. */
const PAGE = 300;
/** Threads go first: without them no cursor, view or parked event can be written any more. */
const KINDS: readonly Kind[] = ["threads", "parked", "events", "receipts"];

/**
 * Deletes everything of a tenant whose log is closed, page by page; broken off, it is begun again.
 *
 * Every page is deleted on condition that the work's mark is there, so that a slow one never reaches into the tenant's next life.
 * Resolves to false where the mark is gone: another finished the work, or began a new one.
 */
export async function purge(database: Database, tenant: string, work: string): Promise<boolean> {
  const mark = pathOf(tenant, "log", workKey(work));
  const { increment } = database.values;
  const clear = async (collection: string, kept?: string): Promise<boolean> => {
    for (let after: string | undefined; ; ) {
      const page = await database.list(collection, { limit: PAGE, isBare: true, ...(after !== undefined && { after }) });
      const ids = page.map(({ id }) => id).filter((id) => id !== kept);
      if (ids.length > 0) {
        const deletes = ids.map((id) => ({ kind: "delete", path: `${collection}/${id}` }) as const);
        const written = await database.write([
          ...deletes,
          { kind: "update", path: mark, fields: { deleted: increment(ids.length) } },
        ]);
        if (written.status === "refused") return false;
      }
      if (page.length < PAGE) return true;
      after = page.at(-1)?.id;
    }
  };
  for (const kind of KINDS) if (!(await clear(kindPath(tenant, kind)))) return false;
  for (const type of await database.parents(kindPath(tenant, "snapshots"))) {
    if (!(await clear(statesPath(tenant, type)))) return false;
  }
  // A collection's owner is there before its first view and goes after its last.
  const owners = kindPath(tenant, "views");
  for (let after: string | undefined, isLast = false; !isLast; ) {
    const page = await database.list(owners, { limit: PAGE, isBare: true, ...(after !== undefined && { after }) });
    for (const { id } of page) if (!(await clear(itemsPath(tenant, id)))) return false;
    after = page.at(-1)?.id;
    isLast = page.length < PAGE;
  }
  if (!(await clear(owners))) return false;
  return clear(kindPath(tenant, "log"), workKey(work));
}
