import { Projection, type ProjectionEvents, type StreamReader } from "../../core/index.ts";
import type { SafeEvents } from "./safe.ts";
import type { TillEvents } from "./till.ts";
import type { Heard } from "./till-model.ts";

/** The versions of a till, or of a safe, in the order in which they came: as often as they came. */
interface Page {
  readonly versions: readonly number[];
}

/** Keeps a page of each till and each safe. */
export class Book extends Projection<Page, TillEvents & SafeEvents> {
  override readonly name = "Book";
  readonly collection = "pages";

  get events(): ProjectionEvents<Page, TillEvents & SafeEvents> {
    const step = {
      id: (_event: unknown, { type, id }: { type: string; id: string }) => `${type}.${id}`,
      next: (page: Page | undefined, _event: unknown, { version }: { version: number }) => ({
        versions: [...(page?.versions ?? []), version],
      }),
    };
    return { Paid: step, Stowed: step };
  }
}

/** The pages of the generation that is live: the versions of each till and safe. */
export async function readPages(reader: StreamReader, tenant: string): Promise<Readonly<Record<string, readonly number[]>>> {
  const { views } = await reader.views<Page>(tenant, new Book()).list();
  return Object.fromEntries(views.map(({ id, value }) => [id, (value as Page).versions]));
}

/** The pages that the book must have after so many events. */
export function pagesOf(events: readonly Heard[]): Readonly<Record<string, readonly number[]>> {
  const pages: Record<string, number[]> = {};
  for (const { type, id, version } of events) pages[`${type}.${id}`] = [...(pages[`${type}.${id}`] ?? []), version];
  return pages;
}
