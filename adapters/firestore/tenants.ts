import { defaultPlatform, ERASED_NAME_REST, TenantError, type TenantPage, type TenantStatus } from "../../core/index.ts";
import type { DocumentSnapshot } from "./client.ts";
import type { Database, Write } from "./database.ts";
import { storeError } from "./failures.ts";
import { lifeKey, pathOf, REGISTRY, tenantPath, workKey } from "./keys.ts";
import { type Logs, logFields } from "./logs.ts";
import { purge } from "./purge.ts";

/** A tenant's entry in the registry. */
export interface Entry {
  readonly status: Exclude<TenantStatus, "absent">;
  /** The mark of its life, while it can be read. */
  readonly life?: string | null;
  /** The mark of the import or erasure that is under way, or broke off. */
  readonly work?: string | null;
  /** When it was last erased, in ms since 1970. Fences of later lives begin here: no thread is leased more than once a millisecond. */
  readonly erasedAt: number;
}

/** How often to begin again where others change the same tenant. */
const TRIES = 20;

/** The registry of tenants and their lives. */
export class Tenants {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #logs: Logs;

  constructor(database: Database, now: () => number, logs: Logs) {
    this.#database = database;
    this.#now = now;
    this.#logs = logs;
  }

  async status(tenant: string): Promise<TenantStatus> {
    return (await this.entry(tenant)).entry?.status ?? "absent";
  }

  /** The entry of a tenant, with the document that it was read from. */
  async entry(tenant: string): Promise<{ readonly entry: Entry | undefined; readonly document: DocumentSnapshot | undefined }> {
    const [document] = await this.#database.get([tenantPath(tenant)]);
    return { entry: document?.data() as Entry | undefined, document };
  }

  async page({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<TenantPage> {
    const documents = await this.#database.list(REGISTRY, { ...(after !== undefined && { after }), limit: limit + 1 });
    const tenants = documents
      .slice(0, limit)
      .map((document) => Object.freeze({ tenant: document.id, status: (document.data() as unknown as Entry).status }));
    const last = tenants.at(-1);
    return documents.length > limit && last !== undefined ? { tenants, next: last.tenant } : { tenants };
  }

  async open(tenant: string): Promise<void> {
    await this.change(tenant, async (entry, guard) => {
      if (entry?.status === "open") return undefined;
      if (entry?.status === "importing") throw new TenantError(tenant, "importing");
      if (entry?.status === "suspended") return this.#reopening(tenant, entry, guard);
      if (entry !== undefined && this.#now() - entry.erasedAt < ERASED_NAME_REST) throw new TenantError(tenant, "erased");
      if (entry?.work) await this.#finishErasure(tenant, entry.work);
      const life = defaultPlatform.newId();
      const erasedAt = entry?.erasedAt ?? 0;
      return [
        guard({ status: "open", life, erasedAt }),
        { kind: "create", path: pathOf(tenant, "log", "open"), fields: logFields(life, erasedAt) },
        { kind: "create", path: pathOf(tenant, "log", lifeKey(life)), fields: {} },
      ];
    });
  }

  /** Closes the log in a transaction, the only one there is: the refs must move, and writers keep adding to them. */
  async suspend(tenant: string): Promise<void> {
    const { client } = this.#database;
    const paths = [tenantPath(tenant), pathOf(tenant, "log", "open"), pathOf(tenant, "log", "closed")];
    const [registered, open, closed] = paths.map((path) => client.doc(path)) as [ReturnType<typeof client.doc>, never, never];
    try {
      await client.runTransaction(async (transaction) => {
        const [document, log] = await transaction.getAll(registered, open);
        const status = (document?.data() as Entry | undefined)?.status ?? "absent";
        if (status === "suspended") return;
        const fields = log?.data();
        if (status !== "open" || fields === undefined) throw new TenantError(tenant, status);
        transaction.update(registered, { status: "suspended" });
        transaction.create(closed, fields);
        transaction.delete(open);
      });
    } catch (error) {
      if (error instanceof TenantError) throw error;
      throw storeError("to suspend a tenant", error, "unknown");
    } finally {
      this.#logs.forget(tenant);
    }
  }

  /** Closes the log first; whatever is under way then fails, for it needs the log, a thread or a mark that is gone. */
  async erase(tenant: string): Promise<void> {
    await this.change(tenant, async (entry, guard) => {
      if (entry === undefined) throw new TenantError(tenant, "absent");
      if (entry.status === "erased") return undefined;
      const { life, work: former } = entry;
      const work = defaultPlatform.newId();
      const gone = ["open", "closed", ...(life ? [lifeKey(life)] : []), ...(former ? [workKey(former)] : [])];
      return [
        guard({ status: "erased", work, erasedAt: this.#now() }),
        { kind: "create", path: pathOf(tenant, "log", workKey(work)), fields: {} },
        ...gone.map((key): Write => ({ kind: "delete", path: pathOf(tenant, "log", key) })),
      ];
    });
    const { entry } = await this.entry(tenant);
    if (entry?.status === "erased" && entry.work) await this.#finishErasure(tenant, entry.work);
  }

  /**
   * Changes a tenant's entry and what goes with it in one batch, on condition that nobody changed it meanwhile; else decides anew.
   *
   * `decide` returns the batch, or nothing where all is as it should be. `guard` spells the entry's own write.
   */
  async change(
    tenant: string,
    decide: (entry: Entry | undefined, guard: (next: Entry) => Write) => Promise<readonly Write[] | undefined>,
  ): Promise<void> {
    const path = tenantPath(tenant);
    let cause: unknown;
    for (let tries = 0; tries < TRIES; tries++) {
      const { entry, document } = await this.entry(tenant);
      const time = document?.updateTime;
      const writes = await decide(entry, ({ status, erasedAt, life = null, work = null }) => {
        const fields = { status, erasedAt, life, work };
        return time === undefined
          ? { kind: "create", path, fields }
          : { kind: "update", path, fields, if: { lastUpdateTime: time } };
      });
      this.#logs.forget(tenant);
      if (writes === undefined) return;
      const written = await this.#database.write(writes);
      if (written.status === "done") return;
      cause = written.cause;
    }
    throw storeError("to change a tenant that others change", cause, "unknown");
  }

  /** Deletes what an erasure left, then lets go of its mark; void where another finished it, or a new life began. */
  async #finishErasure(tenant: string, work: string): Promise<void> {
    if (!(await purge(this.#database, tenant, work))) return;
    await this.change(tenant, async (entry, guard) => {
      if (entry?.status !== "erased" || entry.work !== work) return undefined;
      const { work: _, ...rest } = entry;
      return [guard(rest), { kind: "delete", path: pathOf(tenant, "log", workKey(work)), if: { exists: true } }];
    });
  }

  async #reopening(tenant: string, entry: Entry, guard: (next: Entry) => Write): Promise<readonly Write[]> {
    const [log] = await this.#database.get([pathOf(tenant, "log", "closed")]);
    const { updateTime } = log ?? {};
    return [
      guard({ ...entry, status: "open" }),
      { kind: "create", path: pathOf(tenant, "log", "open"), fields: log?.data() ?? {} },
      {
        kind: "delete",
        path: pathOf(tenant, "log", "closed"),
        if: updateTime ? { lastUpdateTime: updateTime } : { exists: true },
      },
    ];
  }
}
