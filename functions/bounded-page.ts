/** How much is read at once: as much as is answered where a request does not say. */
const AT_ONCE = 100;
/** After how many letters of JSON an answer is long enough; the last part that was read may go beyond. */
const LONG_ENOUGH = 4 * 1024 * 1024;

/** What one read gave; `next` is the place to go on after, undefined where there is no more. */
interface Part<Item, Place> {
  readonly items: readonly Item[];
  readonly next: Place | undefined;
}

/**
 * Reads up to `limit` items in parts, and fewer where they are long: a thousand commits or views can have 256 MiB, which a few such
 * requests at once would make the end of the process, for every tenant.
 */
export async function boundedPage<Item, Place>(
  limit: number,
  after: Place,
  read: (after: Place, limit: number) => Promise<Part<Item, Place>>,
): Promise<Part<Item, Place>> {
  const items: Item[] = [];
  let length = 0;
  for (let place = after; ; ) {
    const part = await read(place, Math.min(limit - items.length, AT_ONCE));
    items.push(...part.items);
    if (part.next === undefined || items.length >= limit) return { items, next: part.next };
    length += JSON.stringify(part.items).length;
    if (length >= LONG_ENOUGH) return { items, next: part.next };
    place = part.next;
  }
}
