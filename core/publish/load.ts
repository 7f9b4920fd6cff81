import type { BatchItem } from "../ports/event-handler.ts";
import type { IPublisher, OutgoingEvent } from "../ports/publisher.ts";

/** The events of one call to a publisher, out of a batch. */
export interface Load {
  readonly events: readonly OutgoingEvent[];
  /** Where each of them stands in the batch. */
  readonly places: readonly number[];
  /** The first item of the batch that the load leaves over; those between that are not published count as done. */
  readonly until: number;
  /** Why that item cannot be published at all. */
  readonly flaw?: unknown;
}

/** Takes items, from one on, for as long as they fit into one call; an event too large for the limit goes alone. */
export function nextLoad(
  items: readonly BatchItem[],
  from: number,
  limits: IPublisher["limits"],
  make: (item: BatchItem) => OutgoingEvent | undefined,
): Load {
  const events: OutgoingEvent[] = [];
  const places: number[] = [];
  let bytes = 0;
  let until = from;
  for (; until < items.length && events.length < limits.events; until++) {
    let event: OutgoingEvent | undefined;
    try {
      event = make(items[until] as BatchItem);
    } catch (flaw) {
      return { events, places, until, flaw };
    }
    if (event === undefined) continue;
    if (events.length > 0 && bytes + event.bytes > limits.bytes) break;
    bytes += event.bytes;
    events.push(event);
    places.push(until);
  }
  return { events, places, until };
}
