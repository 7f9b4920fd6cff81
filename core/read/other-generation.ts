import { Err } from "../model/errors.ts";
import { type Cursor, cursorIn, type ThreadState } from "../ports/threads.ts";
import { type Generation, placeOf, pointerOf, rebuildThreadOf } from "./generation.ts";
import { dropParked, isOfGeneration, parkedOf } from "./held-aggregates.ts";
import type { Progress } from "./progress.ts";
import type { Subscriber } from "./subscriber.ts";
import { LONG_PATIENCE, OPERATOR_LEASE, type ThreadSetting, withThread } from "./thread-lease.ts";

/** A projection whose other generation is worked on, and the two threads that this needs. */
export interface Site {
  readonly subscriber: Subscriber;
  readonly name: string;
  readonly collection: string;
  readonly version: number;
  /** The thread that keeps the live generation. */
  readonly main: ThreadSetting;
  /** The thread whose lease is the right to write the other one. */
  readonly side: ThreadSetting;
}

/** The site of a projection. @throws {Err} `invalid_argument` for a handler without views. */
export function siteOf(main: ThreadSetting, subscriber: Subscriber): Site {
  const { name, collection, version = 0 } = subscriber;
  if (collection === undefined) throw Err.invalidArgument("projection", `${name} keeps no views: rewind or replay it`);
  return { subscriber, name, collection, version, main, side: { ...main, thread: rebuildThreadOf(collection) } };
}

/** Where the live generation stands. @throws {Err} `not_found` for a projection that the thread does not know. */
export function liveCursor({ name, collection, main }: Site, state: ThreadState): Cursor {
  const cursor = cursorIn(state, name);
  if (cursor?.collection !== collection)
    throw Err.notFound(
      `projection ${name} with ${collection} on thread ${main.thread}`,
      "check the names, or poll it first: until then it has no views",
    );
  return cursor;
}

/** The live cursor as it is now. */
export async function lookAtLive(site: Site): Promise<Cursor> {
  const { thread } = await site.main.store.peek(site.main.tenant, site.main.thread);
  return liveCursor(site, thread);
}

/** The live cursor, after everybody was fenced out who could still switch: what a holder of the side's lease begins with. */
export function takeLive(site: Site): Promise<Cursor> {
  return withThread(site.main, (_, state) => liveCursor(site, state), LONG_PATIENCE);
}

/** The generation that is not live. */
export function otherOf({ generation }: Cursor): Generation {
  return generation ? 0 : 1;
}

/** Where the other generation stands, if anything is being made of it. */
export function sideCursor({ name }: Site, state: ThreadState, live: Cursor): Cursor | undefined {
  const cursor = cursorIn(state, name);
  return cursor?.generation === otherOf(live) ? cursor : undefined;
}

/** Where the other generation stands now, if anything is being made of it. */
export async function lookAtSide(site: Site): Promise<Cursor | undefined> {
  const { store, tenant, thread } = site.side;
  const live = await lookAtLive(site);
  return sideCursor(site, (await store.peek(tenant, thread)).thread, live);
}

/**
 * Gives the other generation up, so that it is made anew: its views are marked to be deleted, its dead letters go, and nothing can be
 * rolled back to it any more. The live projection goes on. Begun again after a crash, it finishes the same.
 */
export async function startOver(site: Site, progress: Progress, live: Cursor): Promise<Cursor> {
  const { side, name, version } = site;
  const begun: Cursor = { position: 0, generation: otherOf(live), version, isClearing: true };
  // The mark first: from here on a roll back is refused, so that nobody comes back to what is half gone.
  progress.moveBack(name, begun);
  if (!(await progress.store(side.platform.now() + OPERATOR_LEASE))) throw takenOver(site);
  await withThread(site.main, (inMain, state) => forget(site, inMain, liveCursor(site, state)), LONG_PATIENCE);
  return begun;
}

async function forget(site: Site, progress: Progress, { retired: _, ...live }: Cursor): Promise<void> {
  const { main, name, collection } = site;
  for await (const parked of parkedOf(main, name)) {
    if (!isOfGeneration(parked, otherOf(live))) continue;
    dropParked(progress, parked);
    if (progress.isFull && !(await progress.store(main.platform.now() + OPERATOR_LEASE))) return;
  }
  progress.move(name, live);
  // Owned before anything is written there: that is how an erasure finds it.
  progress.claim(name, placeOf(collection, 1));
  progress.claim(name, pointerOf(collection));
}

/** Another process goes on with the other generation. */
export function takenOver({ side }: Site): Err {
  return Err.precondition(`another process has taken over ${side.thread}: leave this rebuild to it, or try again`);
}
