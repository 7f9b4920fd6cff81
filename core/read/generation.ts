import type { JsonObject } from "../model/json.ts";

/**
 * A collection has two generations, 0 and 1, of which one is live: a rebuild fills the other and switches readers over.
 *
 * A `~` is in no name, so that these places cannot be anybody's collection or thread.
 */
export type Generation = 0 | 1;

/** The generation of a dead letter whose views are gone, and that no others are to get. */
export const NO_GENERATION = 2;

/** The id of the only view in a collection's pointer. */
export const POINTER_ID = "live";

/** Where the views of a generation are kept; those of generation 0 under the collection's own name. */
export function placeOf(collection: string, generation: number | undefined): string {
  return generation ? `${collection}~${generation}` : collection;
}

/** The collection that holds one view, the pointer: which generation is live. Without it 0 is. */
export function pointerOf(collection: string): string {
  return `${collection}~live`;
}

/** The thread by which a collection is rebuilt. */
export function rebuildThreadOf(collection: string): string {
  return `${collection}~rebuild`;
}

/** The pointer to a generation: the place that is live, for whoever reads the database directly. */
export function pointerTo(collection: string, generation: Generation): JsonObject {
  return { collection: placeOf(collection, generation) };
}

/** The place that a pointer names. */
export function placeIn(pointer: JsonObject | undefined, collection: string): string {
  return typeof pointer?.collection === "string" ? pointer.collection : collection;
}
