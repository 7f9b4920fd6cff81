import { ERASED_NAME_REST, TenantError, type TenantPage, type TenantStatus } from "../../core/index.ts";
import type { Client } from "./client.ts";

/** A tenant's row. */
export interface TenantRow {
  readonly no: number;
  readonly name: string;
  readonly status: TenantStatus;
  /** The position of the last commit; 0 before the first. */
  readonly head: number;
  /** Where fences and revisions begin: beyond those of the tenant's earlier life, so that no old lease fits. */
  readonly first_fence: number;
  /** Grows whenever the tenant is erased, filled or opened anew, so that what began before notices. */
  readonly life: number;
  /** When all was gone, in ms since 1970; null while something may be left. */
  readonly erased_at: number | null;
}

/** The tenants' table: who they are and where they stand. Its methods run inside a transaction. */
export class Registry {
  readonly #row;
  readonly #page;
  readonly #open;
  readonly #setStatus;
  readonly #begin;
  readonly #nextFence;
  readonly #setHead;
  readonly #markErased;

  constructor(client: Client) {
    this.#row = client.query<TenantRow>("SELECT * FROM tenants WHERE name = ?");
    this.#page = client.query<TenantRow>("SELECT * FROM tenants WHERE name > ? ORDER BY name LIMIT ?");
    this.#open = client.query(
      "INSERT INTO tenants (name, status) VALUES (?, 'open') ON CONFLICT (name) DO UPDATE SET life = life + (status = 'erased'), status = 'open', erased_at = NULL",
    );
    this.#setStatus = client.query("UPDATE tenants SET status = ? WHERE no = ?");
    this.#begin = client.query(
      `INSERT INTO tenants (name, status, first_fence) VALUES (?, ?, ?) ON CONFLICT (name)
      DO UPDATE SET status = excluded.status, first_fence = excluded.first_fence, life = life + 1, head = 0, erased_at = NULL`,
    );
    this.#nextFence = client.query<{ readonly next: number }>(
      "SELECT ifnull(max(revision) + 1, 0) AS next FROM threads WHERE tenant = ?",
    );
    this.#setHead = client.query("UPDATE tenants SET head = ? WHERE no = ?");
    this.#markErased = client.query("UPDATE tenants SET erased_at = ? WHERE no = ?");
  }

  /** The row of a tenant, whatever its status. */
  find(name: string): TenantRow | undefined {
    return this.#row.get(name);
  }

  /** The row of a tenant that can be read, open or suspended. */
  readable(name: string): TenantRow | undefined {
    const row = this.#row.get(name);
    return row?.status === "open" || row?.status === "suspended" ? row : undefined;
  }

  /** The row of a tenant that can be read. @throws {TenantError} for any other. */
  required(name: string): TenantRow {
    const row = this.readable(name);
    if (row === undefined) throw new TenantError(name, this.status(name));
    return row;
  }

  /** The row of a tenant that takes commits. @throws {TenantError} unless it is open. */
  writable(name: string): TenantRow {
    const row = this.#row.get(name);
    if (row?.status !== "open") throw new TenantError(name, row?.status ?? "absent");
    return row;
  }

  /** The row of a tenant in a life. @throws {TenantError} when it has been erased or filled anew since. */
  sameLife(name: string, life: number): TenantRow {
    const row = this.#row.get(name);
    if (row?.life !== life) throw new TenantError(name, row?.status ?? "absent");
    return row;
  }

  status(name: string): TenantStatus {
    return this.#row.get(name)?.status ?? "absent";
  }

  page(after: string, limit: number): TenantPage {
    const rows = this.#page.all(after, limit + 1);
    const tenants = rows.slice(0, limit).map(({ name, status }) => Object.freeze({ tenant: name, status }));
    const last = tenants.at(-1);
    return rows.length > limit && last !== undefined ? { tenants, next: last.tenant } : { tenants };
  }

  open(name: string, now: number): void {
    const row = this.#row.get(name);
    if (row?.status === "importing") throw new TenantError(name, "importing");
    if (row?.status === "erased" && (row.erased_at === null || now - row.erased_at < ERASED_NAME_REST)) {
      throw new TenantError(name, "erased");
    }
    if (row?.status !== "open") this.#open.run(name);
  }

  /** Marks a readable tenant. */
  suspend(name: string): void {
    this.#setStatus.run("suspended", this.required(name).no);
  }

  /** Ends the tenant's life and begins another, in which its old rows cannot be read; they are still to be deleted. */
  begin(name: string, status: "erased" | "importing"): TenantRow {
    const row = this.#row.get(name);
    const fence = row === undefined ? 0 : Math.max(row.first_fence, this.#nextFence.get(row.no)?.next ?? 0);
    this.#begin.run(name, status, fence);
    return this.#row.get(name) as TenantRow;
  }

  /** Opens a tenant at the end of its import. */
  finishImport({ no }: TenantRow): void {
    this.#setStatus.run("open", no);
  }

  /** Marks that nothing of an erased tenant is left. */
  markErased({ no }: TenantRow, now: number): void {
    this.#markErased.run(now, no);
  }

  /** Moves the head of the tenant's order. */
  setHead({ no }: TenantRow, head: number): void {
    this.#setHead.run(head, no);
  }
}
