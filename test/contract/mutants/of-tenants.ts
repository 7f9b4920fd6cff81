import type {
  Address,
  CommitOutcome,
  ExportRecord,
  IViews,
  JsonObject,
  PendingCommit,
  StoredEvent,
} from "../../../core/index.ts";
import { DelegatingStore } from "../../support/delegating-store.ts";
import type { Mutant } from "./mutant.ts";

class ErasesAllButViews extends DelegatingStore {
  readonly #seen = new Map<string, readonly (JsonObject | undefined)[]>();

  override views(tenant: string, collection: string): IViews {
    const views = this.inner.views(tenant, collection);
    const get: IViews["get"] = async (ids) => {
      const key = `${tenant}/${collection}/${ids.join()}`;
      const found = (await this.inner.status(tenant)) === "erased" ? (this.#seen.get(key) ?? []) : await views.get(ids);
      this.#seen.set(key, found);
      return found;
    };
    const list: IViews["list"] = async (options) => {
      const page = await views.list(options);
      for (const { id, value } of page.views) this.#seen.set(`${tenant}/${collection}/${id}`, [value]);
      return page;
    };
    return { get, list };
  }

  override async erase(tenant: string): Promise<void> {
    for (const { id, value } of (await this.inner.views(tenant, "balances").list({ limit: 10 })).views)
      this.#seen.set(`${tenant}/balances/${id}`, [value]);
    return this.inner.erase(tenant);
  }
}

class ErasesByPrefix extends DelegatingStore {
  override async erase(tenant: string): Promise<void> {
    const { tenants } = await this.inner.tenants({ after: tenant, limit: 1_000 });
    for (const other of tenants) if (other.tenant.startsWith(tenant)) await this.inner.erase(other.tenant);
    return this.inner.erase(tenant);
  }
}

class OpensWhatIsErased extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    if ((await this.inner.status(tenant)) === "erased") return pending.map(() => ({ status: "committed" }));
    return this.inner.commit(tenant, pending);
  }
}

class ForgetsLives extends DelegatingStore {
  override commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    return this.inner.commit(
      tenant,
      pending.map(({ life: _, ...rest }) => rest),
    );
  }
}

class OpensByItself extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    if ((await this.inner.status(tenant)) === "absent") await this.inner.open(tenant);
    return this.inner.commit(tenant, pending);
  }
}

class CommitsWhileSuspended extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const isSuspended = (await this.inner.status(tenant)) === "suspended";
    if (isSuspended) await this.inner.open(tenant);
    const outcomes = await this.inner.commit(tenant, pending);
    if (isSuspended) await this.inner.suspend(tenant);
    return outcomes;
  }
}

class RedactsInEveryTenant extends DelegatingStore {
  override async redact(address: Address, redactor: (event: StoredEvent) => JsonObject, at: number): Promise<number> {
    for (const { tenant } of (await this.inner.tenants({ limit: 1_000 })).tenants)
      if (tenant !== address.tenant) await this.inner.redact({ ...address, tenant }, redactor, at);
    return this.inner.redact(address, redactor, at);
  }
}

class RedactsOnlyOnce extends DelegatingStore {
  readonly #redacted = new Set<string>();

  override async redact(address: Address, redactor: (event: StoredEvent) => JsonObject, at: number): Promise<number> {
    const key = `${address.tenant}/${address.type}/${address.id}`;
    if (this.#redacted.has(key)) return 0;
    this.#redacted.add(key);
    return this.inner.redact(address, redactor, at);
  }
}

class ImportsWhatWasCutShort extends DelegatingStore {
  override async import(tenant: string, records: AsyncIterable<ExportRecord>): Promise<void> {
    return this.inner.import(tenant, withEnd(records));
  }
}

class ExportsWithoutReceipts extends DelegatingStore {
  override async *export(tenant: string): AsyncGenerator<ExportRecord> {
    for await (const record of this.inner.export(tenant)) {
      if (record.kind !== "commit") yield record;
      else {
        const { receipt: _, ...commit } = record.commit;
        yield { ...record, commit };
      }
    }
  }
}

async function* withEnd(records: AsyncIterable<ExportRecord>): AsyncGenerator<ExportRecord> {
  let commits = 0;
  for await (const record of records) {
    if (record.kind === "commit") commits += 1;
    if (record.kind !== "end") yield record;
  }
  yield { kind: "end", commits };
}

/** Stores that break what is promised of the life of tenants. */
export const OF_TENANTS: readonly Mutant[] = [
  { title: "leaves views when it erases", make: (inner) => new ErasesAllButViews(inner) },
  { title: "erases all tenants whose names begin alike", make: (inner) => new ErasesByPrefix(inner) },
  { title: "acknowledges commits of an erased tenant", make: (inner) => new OpensWhatIsErased(inner) },
  { title: "takes a commit that rests on an earlier life", make: (inner) => new ForgetsLives(inner) },
  { title: "opens a tenant at its first commit", make: (inner) => new OpensByItself(inner) },
  { title: "commits while the tenant is suspended", make: (inner) => new CommitsWhileSuspended(inner) },
  { title: "redacts the same id in every tenant", make: (inner) => new RedactsInEveryTenant(inner) },
  { title: "redacts an aggregate only once", make: (inner) => new RedactsOnlyOnce(inner) },
  { title: "imports an export that was cut short", make: (inner) => new ImportsWhatWasCutShort(inner) },
  { title: "exports without receipts", make: (inner) => new ExportsWithoutReceipts(inner) },
];
