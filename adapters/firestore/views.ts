import type { IViews, JsonObject, ViewPage } from "../../core/index.ts";
import type { Database } from "./database.ts";
import { frozen } from "./documents.ts";
import { idKey, idOf, itemsPath, viewPath } from "./keys.ts";

/** The views of a collection, kept as native fields so that clients can read and query them; listed in the order of their keys. */
export class FirestoreViews implements IViews {
  readonly #database: Database;
  readonly #tenant: string;
  readonly #collection: string;

  constructor(database: Database, tenant: string, collection: string) {
    this.#database = database;
    this.#tenant = tenant;
    this.#collection = collection;
  }

  async get(ids: readonly string[]): Promise<readonly (JsonObject | undefined)[]> {
    const documents = await this.#database.get(ids.map((id) => viewPath(this.#tenant, this.#collection, id)));
    return documents.map((document) => (document.exists ? frozen(document.data() as JsonObject) : undefined));
  }

  async list({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<ViewPage> {
    const start = after === undefined ? {} : { after: idKey(after) };
    const documents = await this.#database.list(itemsPath(this.#tenant, this.#collection), { ...start, limit: limit + 1 });
    const views = documents
      .slice(0, limit)
      .map((document) => frozen({ id: idOf(document.id), value: document.data() as JsonObject }));
    const last = views.at(-1);
    return documents.length > limit && last !== undefined ? { views, next: last.id } : { views };
  }
}
