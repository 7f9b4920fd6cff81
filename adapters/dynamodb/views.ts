import { encode, type IViews, type Json, type JsonObject, type View, type ViewPage } from "../../core/index.ts";
import { decode } from "../../core/store-kit.ts";
import type { Item } from "./client.ts";
import { openPageKey, textOfKey, viewKey, viewsPartition } from "./keys.ts";
import { isReadable, openPageOf } from "./open-page.ts";
import { getItem, getItems, takeItems } from "./reads.ts";
import { type Budget, textIn } from "./requests.ts";

/** The views of one collection: native attributes, so that other programs can read them, listed in the order of their ids' UTF-8. */
export class DynamoDbViews implements IViews {
  readonly #begin: () => Budget;
  readonly #tenant: string;
  readonly #collection: string;

  constructor(begin: () => Budget, tenant: string, collection: string) {
    this.#begin = begin;
    this.#tenant = tenant;
    this.#collection = collection;
  }

  /** One request for up to 99 views, and for whether the tenant may be read. */
  async get(ids: readonly string[]): Promise<readonly (JsonObject | undefined)[]> {
    const pageKey = openPageKey(this.#tenant);
    const keys = ids.map((id) => viewKey(this.#tenant, this.#collection, id));
    const found = await getItems(this.#begin(), [pageKey, ...keys]);
    if (!isReadable(openPageOf(found.get(textOfKey(pageKey))))) return ids.map(() => undefined);
    return keys.map((key) => {
      const item = found.get(textOfKey(key));
      return item === undefined ? undefined : viewOf(item);
    });
  }

  async list({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<ViewPage> {
    const budget = this.#begin();
    const [page, { items, hasMore }] = await Promise.all([
      getItem(budget, openPageKey(this.#tenant)),
      takeItems(budget, { pk: viewsPartition(this.#tenant, this.#collection) }, after, limit),
    ]);
    if (!isReadable(openPageOf(page))) return { views: [] };
    const views = items.map((item): View => Object.freeze({ id: textIn(item, "sk"), value: viewOf(item) }));
    const last = views.at(-1);
    return hasMore && last !== undefined ? { views, next: last.id } : { views };
  }
}

/** The item of a view: its value as a map, or as a JSON text where the SDK's marshalling would change or refuse it. */
export function viewItem(tenant: string, collection: string, id: string, value: JsonObject): Item {
  const key = viewKey(tenant, collection, id);
  return isNative(value) ? { ...key, value } : { ...key, body: JSON.stringify(value) };
}

function viewOf(item: Item): JsonObject {
  const { body, value } = item;
  return (typeof body === "string" ? decode(body) : encode(value).value) as JsonObject;
}

/** Integers that no double tells apart are refused by the SDK, and it takes an object's `constructor` for its class. */
function isNative(value: Json): boolean {
  if (typeof value === "number") return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isNative);
  return !Object.hasOwn(value, "constructor") && Object.values(value as JsonObject).every(isNative);
}
