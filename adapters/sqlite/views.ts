import type { IViews, JsonObject, ViewPage, ViewWrite } from "../../core/index.ts";
import { decode } from "../../core/store-kit.ts";
import type { Client } from "./client.ts";
import type { TenantRow } from "./registry.ts";
import type { Tables } from "./tables.ts";

/** The table of views. Its methods run inside a transaction. */
export class ViewTable {
  readonly #put;
  readonly #delete;
  readonly #get;
  readonly #page;

  constructor(client: Client) {
    this.#put = client.query("INSERT OR REPLACE INTO views (tenant, collection, id, value) VALUES (?, ?, ?, ?)");
    this.#delete = client.query("DELETE FROM views WHERE tenant = ? AND collection = ? AND id = ?");
    this.#get = client.query<{ readonly value: string }>(
      "SELECT value FROM views WHERE tenant = ? AND collection = ? AND id = ?",
    );
    this.#page = client.query<{ readonly id: string; readonly value: string }>(
      "SELECT id, value FROM views WHERE tenant = ? AND collection = ? AND id > ? ORDER BY id LIMIT ?",
    );
  }

  write({ no }: TenantRow, { collection, id, value }: ViewWrite): void {
    if (value === undefined) this.#delete.run(no, collection, id);
    else this.#put.run(no, collection, id, JSON.stringify(value));
  }

  get({ no }: TenantRow, collection: string, id: string): JsonObject | undefined {
    const row = this.#get.get(no, collection, id);
    return row === undefined ? undefined : (decode(row.value) as JsonObject);
  }

  /** One page, in the order of the ids' bytes. */
  page({ no }: TenantRow, collection: string, after: string, limit: number): ViewPage {
    const rows = this.#page.all(no, collection, after, limit + 1);
    const views = rows.slice(0, limit).map(({ id, value }) => Object.freeze({ id, value: decode(value) as JsonObject }));
    const last = views.at(-1);
    return rows.length > limit && last !== undefined ? { views, next: last.id } : { views };
  }
}

/** The views of one collection of one tenant. */
export class SqliteViews implements IViews {
  readonly #tables: Tables;
  readonly #tenant: string;
  readonly #collection: string;

  constructor(tables: Tables, tenant: string, collection: string) {
    this.#tables = tables;
    this.#tenant = tenant;
    this.#collection = collection;
  }

  async get(ids: readonly string[]): Promise<readonly (JsonObject | undefined)[]> {
    const { client, registry, viewTable } = this.#tables;
    return client.read(() => {
      const row = registry.readable(this.#tenant);
      return ids.map((id) => row && viewTable.get(row, this.#collection, id));
    });
  }

  async list({ after = "", limit }: { readonly after?: string; readonly limit: number }): Promise<ViewPage> {
    const { client, registry, viewTable } = this.#tables;
    return client.read(() => {
      const row = registry.readable(this.#tenant);
      return row === undefined ? { views: [] } : viewTable.page(row, this.#collection, after, limit);
    });
  }
}
