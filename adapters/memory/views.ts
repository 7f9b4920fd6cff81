import type { IViews, JsonObject, ViewPage } from "../../core/index.ts";

/** The views of a collection, listed in the order of their ids. */
export class MemoryViews implements IViews {
  readonly #views: () => ReadonlyMap<string, JsonObject> | undefined;

  /** `views` gives the collection as it is now. */
  constructor(views: () => ReadonlyMap<string, JsonObject> | undefined) {
    this.#views = views;
  }

  async get(ids: readonly string[]): Promise<readonly (JsonObject | undefined)[]> {
    const views = this.#views();
    return ids.map((id) => views?.get(id));
  }

  /** Sorts the collection's ids: cheap enough for what fits in memory. */
  async list({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<ViewPage> {
    const left = [...(this.#views() ?? [])].filter(([id]) => after === undefined || compareIds(id, after) > 0);
    left.sort(([a], [b]) => compareIds(a, b));
    const views = left.slice(0, limit).map(([id, value]) => Object.freeze({ id, value }));
    const last = views.at(-1);
    return left.length > limit && last !== undefined ? { views, next: last.id } : { views };
  }
}

/** Orders texts by code point, as databases order their UTF-8; `<` would order by UTF-16 unit. */
function compareIds(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let index = 0; index < end; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
