import type { EventStream } from "./event-stream.ts";
import { FairQueue } from "./fair-queue.ts";

/** How many items a page has, at most, and at first: an item can have 256 KiB, and as many pages are held as there are turns. */
export const MOST_ITEMS = 32;
const FIRST_ITEMS = 4;
/** How many streams of one tenant may hold a page at once; the others wait for their turn. */
const TURNS = 4;

/** Makes the turns in which the streams of each tenant read pages, so that what they hold does not grow with their number. */
export function pageTurns(): FairQueue {
  return new FairQueue({ atOnce: TURNS, waiting: Number.POSITIVE_INFINITY });
}

/**
 * Sends what is stored to a client that catches up, a page at a time and at its pace.
 *
 * A page is read only when the client has room, in the tenant's turn, and is dropped before the next wait: what did not go into the
 * buffer is read again. So that this is little, a page is about as long as the buffer, by the length of what was sent before.
 */
export class StreamPages {
  readonly #stream: EventStream;
  readonly #turns: FairQueue;
  readonly #tenant: string;
  #items = FIRST_ITEMS;

  constructor(stream: EventStream, turns: FairQueue, tenant: string) {
    this.#stream = stream;
    this.#turns = turns;
    this.#tenant = tenant;
  }

  /** Calls `page` in the tenant's turn, with how many items it should read; false once the stream is over. */
  async turn(page: (limit: number) => Promise<void>): Promise<boolean> {
    if (!(await this.#stream.room())) return false;
    await this.#turns.run(this.#tenant, 0, async () => {
      if (!this.#stream.signal.aborted) await page(this.#items);
    });
    return !this.#stream.signal.aborted;
  }

  /** Sends the encoded items until the buffer is full; `sent` hears of each one that was. */
  send<Item>(items: readonly Item[], encode: (item: Item) => Uint8Array | undefined, sent: (item: Item) => void): void {
    let bytes = 0;
    let count = 0;
    for (const item of items) {
      const chunk = encode(item);
      if (chunk !== undefined && !this.#stream.send(chunk)) break;
      bytes += chunk?.byteLength ?? 0;
      count++;
      sent(item);
    }
    if (bytes > 0) this.#items = Math.max(1, Math.min(MOST_ITEMS, Math.floor((this.#stream.buffer * count) / bytes)));
  }
}
