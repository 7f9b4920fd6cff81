import { checkLimit } from "../model/arguments.ts";
import { checkId } from "../model/ids.ts";
import type { DeepReadonly } from "../model/json.ts";
import type { IViews, View, ViewPage } from "../ports/views.ts";
import { POINTER_ID, placeIn, pointerOf } from "./generation.ts";

/** Reads the views of one projection of one tenant, of the generation that is live. Frozen values. */
export class ViewReader<V extends object> {
  readonly #viewsAt: (place: string) => IViews;
  readonly #collection: string;
  #place: string;

  /** `viewsAt` gives the views that the store keeps under a name. */
  constructor(viewsAt: (place: string) => IViews, collection: string) {
    this.#viewsAt = viewsAt;
    this.#collection = collection;
    this.#place = collection;
  }

  /** One view; undefined where there is none. Cost: two reads, of which one tells the live generation. */
  async get(id: string): Promise<DeepReadonly<V> | undefined> {
    checkId(id, "id");
    const [view] = await this.#read((views) => views.get([id]));
    return view as DeepReadonly<V> | undefined;
  }

  /**
   * Views in a stable order, at most `limit` (1 to 1,000, default 100), after the view with the id `after`; `next` is where to go on.
   * A page is of one generation; a rebuild may switch between two pages.
   */
  async list(options: { readonly after?: string; readonly limit?: number } = {}): Promise<ViewPage<DeepReadonly<V>>> {
    const limit = checkLimit(options.limit);
    const after = options.after === undefined ? {} : { after: checkId(options.after, "after") };
    const page = await this.#read((views) => views.list({ limit, ...after }));
    return page as unknown as ViewPage<DeepReadonly<V>> & { readonly views: readonly View<DeepReadonly<V>>[] };
  }

  /** Reads where the views were last, and at the same time whether they still are there. */
  async #read<T>(read: (views: IViews) => Promise<T>): Promise<T> {
    const pointer = this.#viewsAt(pointerOf(this.#collection));
    for (;;) {
      const place = this.#place;
      const [[live], result] = await Promise.all([pointer.get([POINTER_ID]), read(this.#viewsAt(place))]);
      this.#place = placeIn(live, this.#collection);
      if (this.#place === place) return result;
    }
  }
}
