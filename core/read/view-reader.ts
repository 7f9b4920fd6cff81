import { checkLimit } from "../model/arguments.ts";
import { checkId } from "../model/ids.ts";
import type { DeepReadonly } from "../model/json.ts";
import type { IViews, View, ViewPage } from "../ports/views.ts";

/** Reads the views of one projection of one tenant. Frozen values. */
export class ViewReader<V extends object> {
  readonly #views: IViews;

  constructor(views: IViews) {
    this.#views = views;
  }

  /** One view; undefined where there is none. */
  async get(id: string): Promise<DeepReadonly<V> | undefined> {
    const [view] = await this.#views.get([checkId(id, "id")]);
    return view as DeepReadonly<V> | undefined;
  }

  /** Views in a stable order, at most `limit` (1 to 1,000, default 100), after the view with the id `after`; `next` is where to go on. */
  async list(options: { readonly after?: string; readonly limit?: number } = {}): Promise<ViewPage<DeepReadonly<V>>> {
    const limit = checkLimit(options.limit);
    const after = options.after === undefined ? {} : { after: checkId(options.after, "after") };
    const page = await this.#views.list({ limit, ...after });
    return page as unknown as ViewPage<DeepReadonly<V>> & { readonly views: readonly View<DeepReadonly<V>>[] };
  }
}
