import { canonicalJson, type ParkedEvent, type ParkedKey, type ParkedPage } from "../../core/index.ts";
import { decode } from "../../core/store-kit.ts";
import type { Client } from "./client.ts";
import type { TenantRow } from "./registry.ts";

/** Which parked events of a thread to list. */
export interface ParkedOptions {
  readonly handler?: string;
  readonly after?: ParkedKey;
  readonly limit: number;
}

/** The table of dead letters. Its methods run inside a transaction. */
export class ParkedEvents {
  readonly #put;
  readonly #delete;
  readonly #page;
  readonly #pageOf;

  constructor(client: Client) {
    this.#put = client.query(
      "INSERT OR REPLACE INTO parked (tenant, thread, handler, position, place, data) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#delete = client.query(
      "DELETE FROM parked WHERE tenant = ? AND thread = ? AND handler = ? AND position = ? AND place = ?",
    );
    this.#page = client.query<{ readonly data: string }>(
      `SELECT data FROM parked WHERE tenant = ? AND thread = ? AND (handler, position, place) > (?, ?, ?)
      ORDER BY handler, position, place LIMIT ?`,
    );
    this.#pageOf = client.query<{ readonly data: string }>(
      `SELECT data FROM parked WHERE tenant = ? AND thread = ? AND handler = ? AND (position, place) > (?, ?)
      ORDER BY position, place LIMIT ?`,
    );
  }

  park({ no }: TenantRow, thread: string, parked: ParkedEvent): void {
    this.#put.run(no, thread, parked.handler, parked.position, parked.index, canonicalJson(parked));
  }

  unpark({ no }: TenantRow, thread: string, { handler, position, index }: ParkedKey): void {
    this.#delete.run(no, thread, handler, position, index);
  }

  /** One page, by handler, position and index. */
  page({ no }: TenantRow, thread: string, { handler, after, limit }: ParkedOptions): ParkedPage {
    const { position, index } = after ?? { position: -1, index: -1 };
    const rows =
      handler === undefined
        ? this.#page.all(no, thread, after?.handler ?? "", position, index, limit + 1)
        : this.#pageOf.all(no, thread, handler, ...placeFor(handler, after), limit + 1);
    const parked = rows.slice(0, limit).map(({ data }) => decode(data) as unknown as ParkedEvent);
    const last = parked.at(-1);
    if (rows.length <= limit || last === undefined) return { parked };
    return { parked, next: { handler: last.handler, position: last.position, index: last.index } };
  }
}

/** Where a page of one handler begins after a key, which may be another handler's. */
function placeFor(handler: string, after: ParkedKey | undefined): readonly [number, number] {
  if (after === undefined || after.handler < handler) return [-1, -1];
  return after.handler === handler ? [after.position, after.index] : [Number.MAX_SAFE_INTEGER, 0];
}
