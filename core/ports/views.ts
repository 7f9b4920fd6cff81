import type { JsonObject } from "../model/json.ts";

/** One document of a collection. */
export interface View<V = JsonObject> {
  readonly id: string;
  readonly value: V;
}

/** One page of a collection; `next` is set when there is more: pass it as `after`. */
export interface ViewPage<V = JsonObject> {
  readonly views: readonly View<V>[];
  readonly next?: string;
}

/** Reads the views of one collection of one tenant. */
export interface IViews {
  /** The views with these ids (at most 100), in their order; undefined where there is none. */
  get(ids: readonly string[]): Promise<readonly (JsonObject | undefined)[]>;

  /** Views after the id `after`, at most `limit` (1 to 1,000), in a stable order: paging visits each once. Equally long ASCII numbers sort by value. */
  list(options: { readonly after?: string; readonly limit: number }): Promise<ViewPage>;
}

/** A change of one view; without a value it is deleted. */
export interface ViewWrite {
  readonly collection: string;
  readonly id: string;
  readonly value?: JsonObject;
}
