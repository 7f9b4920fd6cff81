import type { StoredEvent } from "./commit.ts";
import { encodeObject, type JsonObject } from "./json.ts";
import { own } from "./own.ts";

/** Lifts payloads from one schema version to the next; pure. */
export type Upcaster = (payload: never) => object;

/** Upcasters by event name; the one at index n lifts version n to n + 1, so the newest version is their number. */
export type UpcasterMap = Readonly<Record<string, readonly Upcaster[]>>;

/** The newest schema version of an event: the number of its upcasters. */
export function newestSchema(upcasters: UpcasterMap | undefined, eventName: string): number {
  return own(upcasters, eventName)?.length ?? 0;
}

/** Lifts an event to its newest schema version; returns the event itself where there is nothing to do. */
export function upcast(event: StoredEvent, upcasters: UpcasterMap | undefined): StoredEvent {
  const chain = own(upcasters, event.name);
  if (chain === undefined || event.schemaVersion >= chain.length) return event;
  let payload: JsonObject = event.payload;
  for (const step of chain.slice(event.schemaVersion)) {
    payload = encodeObject((step as (payload: JsonObject) => object)(payload), `upcast ${event.name}`).value;
  }
  return Object.freeze({
    name: event.name,
    payload,
    schemaVersion: chain.length,
  });
}
