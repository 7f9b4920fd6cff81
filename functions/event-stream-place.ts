import { type Cursor, defaultPlatform, type IEventStore } from "../core/index.ts";

/** How far a collection is told: up to a position, and up to where its keeper stands inside the next commit. */
export interface Place {
  readonly position: number;
  /** Where inside the next commit the keeper stands; "" = not inside one. */
  readonly inside: string;
}

/** Where a keeper stands. */
export function standingOf(cursor: Cursor | undefined): Place {
  const { position = 0, failure } = cursor ?? {};
  return { position, inside: failure === undefined ? "" : `${failure.position}:${failure.index}` };
}

/** The last position that may have changed views: a keeper that stands inside a commit has applied some of it already. */
export function endOf({ position, inside }: Place): number {
  return inside === "" ? position : Number.parseInt(inside, 10);
}

/** Whether two places are the same. */
export function isSame(one: Place | undefined, other: Place | undefined): boolean {
  return one?.position === other?.position && one?.inside === other?.inside;
}

/** An event's id: a place (a position, or a version) and the mark of what it belongs to. */
export function idOf(place: number, mark: string): string {
  return `${place}.${mark}`;
}

/** The place that an event's id names; undefined where it carries another mark, so that everything must be told anew. */
export function placeIn(id: string | undefined, mark: string): number | undefined {
  const [, place, marked] = /^(\d{1,15})\.([0-9a-f]+)$/.exec(id ?? "") ?? [];
  return place !== undefined && marked === mark ? Number(place) : undefined;
}

/** Eight letters that differ where any of the parts differs: short, since they go with every event. */
export async function markOf(...parts: readonly (string | number)[]): Promise<string> {
  return (await defaultPlatform.digest(JSON.stringify(parts))).slice(0, 8);
}

/** The life of a tenant: another text after every erasure. One read. */
export async function lifeOf(store: IEventStore, tenant: string): Promise<string> {
  const { life } = await store.load({ tenant, type: "streams", id: "life" }, { limit: 1 });
  return life;
}
