import { defaultPlatform, ERASED_NAME_REST, TenantError } from "../../core/index.ts";
import type { DocumentRef } from "./client.ts";
import type { Database, Write } from "./database.ts";
import { storeError } from "./failures.ts";
import { closedKey, lifeKey, openKey, pathOf, tenantPath, workKey } from "./keys.ts";
import { logFields } from "./log-document.ts";
import { purge } from "./purge.ts";
import type { Entry, Registry } from "./registry.ts";

/** The lives of tenants: opened, suspended, erased. */
export class Tenants {
  readonly #database: Database;
  readonly #registry: Registry;
  readonly #now: () => number;

  constructor(database: Database, registry: Registry, now: () => number) {
    this.#database = database;
    this.#registry = registry;
    this.#now = now;
  }

  async open(tenant: string): Promise<void> {
    await this.#registry.change(tenant, async (entry, entryWrite) => {
      if (entry?.status === "open") return undefined;
      if (entry?.status === "importing") throw new TenantError(tenant, "importing");
      if (entry?.status === "suspended") return this.#reopening(tenant, entry, entryWrite);
      if (entry !== undefined && this.#now() - entry.erasedAt < ERASED_NAME_REST) throw new TenantError(tenant, "erased");
      if (entry?.work) await this.#finishErasure(tenant, entry.work);
      const life = (entry?.life ?? 0) + 1;
      const erasedAt = entry?.erasedAt ?? 0;
      return [
        entryWrite({ status: "open", life, erasedAt }),
        { kind: "create", path: pathOf(tenant, "log", openKey(life)), fields: logFields(life, erasedAt) },
        { kind: "create", path: pathOf(tenant, "log", lifeKey(life)), fields: {} },
      ];
    });
  }

  /** Closes the log in a transaction, the only one there is: the refs must move, and writers keep adding to them. */
  async suspend(tenant: string): Promise<void> {
    const { client } = this.#database;
    const registered = client.doc(tenantPath(tenant));
    try {
      await this.#database.transact(async (transaction) => {
        const [document] = await transaction.getAll(registered);
        const entry = document?.data() as Entry | undefined;
        if (entry?.status === "suspended") return;
        if (entry?.status !== "open") throw new TenantError(tenant, entry?.status ?? "absent");
        const [open, closed] = [openKey, closedKey].map((keyOf) => client.doc(pathOf(tenant, "log", keyOf(entry.life)))) as [
          DocumentRef,
          DocumentRef,
        ];
        const [log] = await transaction.getAll(open);
        transaction.update(registered, { status: "suspended" });
        transaction.create(closed, log?.data() ?? {});
        transaction.delete(open);
      });
    } catch (error) {
      if (error instanceof TenantError) throw error;
      throw storeError("to suspend a tenant", error, "unknown");
    }
  }

  /** Closes the log first; whatever is under way then fails, for it needs the log, a thread or a mark that is gone. */
  async erase(tenant: string): Promise<void> {
    await this.#registry.change(tenant, async (entry, entryWrite) => {
      if (entry === undefined) throw new TenantError(tenant, "absent");
      if (entry.status === "erased") return undefined;
      const { life, work: former } = entry;
      const work = defaultPlatform.newId();
      const gone = [openKey(life), closedKey(life), lifeKey(life), ...(former ? [workKey(former)] : [])];
      return [
        entryWrite({ status: "erased", life, work, erasedAt: this.#now() }),
        { kind: "create", path: pathOf(tenant, "log", workKey(work)), fields: {} },
        ...gone.map((key): Write => ({ kind: "delete", path: pathOf(tenant, "log", key) })),
      ];
    });
    const entry = await this.#registry.entry(tenant);
    if (entry?.status === "erased" && entry.work) await this.#finishErasure(tenant, entry.work);
  }

  /** Deletes what an erasure left, then lets go of its mark; void where another finished it, or a new life began. */
  async #finishErasure(tenant: string, work: string): Promise<void> {
    if (!(await purge(this.#database, tenant, work))) return;
    await this.#registry.change(tenant, async (entry, entryWrite) => {
      if (entry?.status !== "erased" || entry.work !== work) return undefined;
      const { work: _, ...rest } = entry;
      return [entryWrite(rest), { kind: "delete", path: pathOf(tenant, "log", workKey(work)), if: { exists: true } }];
    });
  }

  async #reopening(tenant: string, entry: Entry, entryWrite: (next: Entry) => Write): Promise<readonly Write[]> {
    const [open, closed] = [openKey(entry.life), closedKey(entry.life)].map((key) => pathOf(tenant, "log", key)) as [
      string,
      string,
    ];
    const [log] = await this.#database.get([closed]);
    const { updateTime } = log ?? {};
    return [
      entryWrite({ ...entry, status: "open" }),
      { kind: "create", path: open, fields: log?.data() ?? {} },
      {
        kind: "delete",
        path: closed,
        if: updateTime ? { lastUpdateTime: updateTime } : { exists: true },
      },
    ];
  }
}
