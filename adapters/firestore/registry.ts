import type { TenantPage, TenantStatus } from "../../core/index.ts";
import type { UpdateTime } from "./client.ts";
import type { Database, Write } from "./database.ts";
import { storeError } from "./failures.ts";
import { REGISTRY, tenantPath } from "./keys.ts";

/** A tenant's entry in the registry. */
export interface Entry {
  readonly status: Exclude<TenantStatus, "absent">;
  /** Counts the lives of the name from 1: an import, or opening it after an erasure, begins another. */
  readonly life: number;
  /** The mark of the import or erasure that is under way, or broke off. */
  readonly work?: string | null;
  /** When the name was last erased, in ms since 1970. Fences of later lives begin here: no thread is leased more than once a millisecond. */
  readonly erasedAt: number;
}

/** What a change of an entry does: nothing, or a batch that the entry's own write, spelled by `write`, belongs to. */
export type Decision = (entry: Entry | undefined, write: (next: Entry) => Write) => Promise<readonly Write[] | undefined>;

/** How often to begin again where others change the same tenant. */
const TRIES = 20;

/** The list of tenants, one document each. */
export class Registry {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async entry(tenant: string): Promise<Entry | undefined> {
    return (await this.#read(tenant)).entry;
  }

  async status(tenant: string): Promise<TenantStatus> {
    return (await this.entry(tenant))?.status ?? "absent";
  }

  async page({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<TenantPage> {
    const documents = await this.#database.list(REGISTRY, { ...(after !== undefined && { after }), limit: limit + 1 });
    const tenants = documents
      .slice(0, limit)
      .map((document) => Object.freeze({ tenant: document.id, status: (document.data() as unknown as Entry).status }));
    const last = tenants.at(-1);
    return documents.length > limit && last !== undefined ? { tenants, next: last.tenant } : { tenants };
  }

  /** Changes an entry and what goes with it in one batch, on condition that nobody changed the entry meanwhile; else decides anew. */
  async change(tenant: string, decide: Decision): Promise<void> {
    const path = tenantPath(tenant);
    let cause: unknown;
    for (let tries = 0; tries < TRIES; tries++) {
      const { entry, time } = await this.#read(tenant);
      const writes = await decide(entry, ({ status, life, work = null, erasedAt }) => {
        const fields = { status, life, work, erasedAt };
        return time === undefined
          ? { kind: "create", path, fields }
          : { kind: "update", path, fields, if: { lastUpdateTime: time } };
      });
      if (writes === undefined) return;
      const written = await this.#database.write(writes);
      if (written.status === "done") return;
      cause = written.cause;
    }
    throw storeError("to change a tenant that others change", cause, "unknown");
  }

  async #read(tenant: string): Promise<{ readonly entry: Entry | undefined; readonly time: UpdateTime | undefined }> {
    const [document] = await this.#database.get([tenantPath(tenant)]);
    return { entry: document?.data() as Entry | undefined, time: document?.updateTime };
  }
}
