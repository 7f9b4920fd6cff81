import {
  ERASED_NAME_REST,
  type ExportRecord,
  TenantError,
  type TenantPage,
  type TenantStatus,
  ValidationError,
} from "../../core/index.ts";
import { commitRecord, ImportOrder, threadRecords } from "../../core/store-kit.ts";
import { Space, type Tenant } from "./space.ts";
import { parkedIn, placeIn } from "./threads.ts";

/** The registry of tenants and their lives. */
export class Tenants {
  readonly #tenants = new Map<string, Tenant>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The space of a tenant that can be read, open or suspended. */
  readable(name: string): Space | undefined {
    return this.#tenants.get(name)?.space;
  }

  /** The space of a tenant that takes commits. @throws {TenantError} unless it is open. */
  writable(name: string): Space {
    const tenant = this.#tenants.get(name);
    if (tenant?.status !== "open" || tenant.space === undefined) throw new TenantError(name, this.status(name));
    return tenant.space;
  }

  status(name: string): TenantStatus {
    return this.#tenants.get(name)?.status ?? "absent";
  }

  open(name: string): void {
    const tenant = this.#tenants.get(name);
    const status = tenant?.status ?? "absent";
    if (status === "importing") throw new TenantError(name, status);
    if (status === "erased" && this.#now() - (tenant?.erasedAt ?? 0) < ERASED_NAME_REST) throw new TenantError(name, status);
    const firstFence = tenant?.firstFence ?? 0;
    this.#tenants.set(name, { status: "open", space: tenant?.space ?? new Space(firstFence), firstFence, erasedAt: 0 });
  }

  suspend(name: string): void {
    const tenant = this.#tenants.get(name);
    if (tenant?.space === undefined) throw new TenantError(name, this.status(name));
    tenant.status = "suspended";
  }

  erase(name: string): void {
    const tenant = this.#tenants.get(name);
    if (tenant === undefined) throw new TenantError(name, "absent");
    if (tenant.status === "erased") return;
    const firstFence = (tenant.space?.nextFence ?? tenant.firstFence) + 1;
    this.#tenants.set(name, { status: "erased", space: undefined, firstFence, erasedAt: this.#now() });
  }

  page(after: string, limit: number): TenantPage {
    const names = [...this.#tenants.keys()].filter((name) => name > after).sort();
    const tenants = names.slice(0, limit).map((tenant) => Object.freeze({ tenant, status: this.status(tenant) }));
    const last = tenants.at(-1);
    return names.length > limit && last !== undefined ? { tenants, next: last.tenant } : { tenants };
  }

  /** Records up to the head at the time of the call. */
  export(name: string): AsyncIterable<ExportRecord> {
    const space = this.readable(name);
    return this.#records(name, space, space?.log.head ?? 0);
  }

  async import(name: string, records: AsyncIterable<ExportRecord>): Promise<void> {
    const status = this.status(name);
    if (status === "open" || status === "suspended") throw TenantError.inUse(name, status);
    const firstFence = this.#tenants.get(name)?.firstFence ?? 0;
    const importing: Tenant = { status: "importing", space: undefined, firstFence, erasedAt: 0 };
    this.#tenants.set(name, importing);
    const space = new Space(firstFence);
    const order = new ImportOrder();
    for await (const record of records) {
      fill(name, space, order.accept(record));
      // Another import began, or the tenant was erased: this one is void.
      if (this.#tenants.get(name) !== importing) throw new TenantError(name, this.status(name));
    }
    order.finish();
    if (this.#tenants.get(name) !== importing) throw new TenantError(name, this.status(name));
    importing.space = space;
    importing.status = "open";
  }

  async *#records(name: string, space: Space | undefined, head: number): AsyncGenerator<ExportRecord> {
    if (space === undefined) throw new TenantError(name, this.status(name));
    yield { kind: "tenant", format: 1, tenant: name };
    for (let position = 1; position <= head; position++) {
      const commit = space.log.at(position);
      if (this.readable(name) !== space || commit === undefined) throw new TenantError(name, this.status(name));
      yield commitRecord(commit, position);
    }
    for (const thread of [...space.threads.keys()].sort()) {
      yield* threadRecords(thread, space.stateOf(thread).cursors, parkedIn(space, thread), head);
    }
    yield { kind: "end", commits: head };
  }
}

function fill(tenant: string, space: Space, record: ExportRecord): void {
  if (record.kind === "thread" || record.kind === "parked") placeIn(space, record);
  if (record.kind === "commit") append(tenant, space, record);
}

function append(tenant: string, space: Space, { commit, position }: Extract<ExportRecord, { kind: "commit" }>): void {
  const { type, id, version, receipt } = commit;
  const next = space.log.stream(type, id)?.commits.length ?? 0;
  if (version !== next)
    throw new ValidationError(`commit ${position}`, `has version ${version}, not ${next}: export the tenant again`);
  if (receipt !== undefined && space.log.receipt(receipt.commandId) !== undefined) {
    throw new ValidationError(`commit ${position}`, `repeats the commandId ${receipt.commandId}: export the tenant again`);
  }
  space.log.add(Object.freeze({ ...commit, tenant, position }));
}
