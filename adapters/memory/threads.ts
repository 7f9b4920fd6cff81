import type {
  CursorOutcome,
  CursorUpdate,
  ExportRecord,
  Lease,
  ParkedEvent,
  ParkedKey,
  ParkedPage,
  ThreadState,
  ViewWrite,
} from "../../core/index.ts";
import { checkForward, cursorsAfter, importedCursor } from "../../core/store-kit.ts";
import type { Space, Thread } from "./space.ts";

/** Leases a thread if its revision is still the one that was seen. */
export function acquire(space: Space, lease: Omit<Lease, "fence">, seen: ThreadState, leasedUntil: number): Lease | undefined {
  const thread = threadOf(space, lease.thread);
  if (thread.state.revision !== seen.revision) return undefined;
  const fence = thread.state.fence + 1;
  write(thread, { ...thread.state, fence, leasedUntil });
  return Object.freeze({ ...lease, fence });
}

/** Checks everything, then writes everything. @throws {Err} `invalid_argument` when a cursor would move back. */
export function commitCursors(space: Space, lease: Lease, update: CursorUpdate): CursorOutcome {
  const thread = space.threads.get(lease.thread);
  if (thread === undefined || thread.state.fence !== lease.fence) return { status: "fenced" };
  checkForward(thread.state.cursors, update);
  for (const { collection, handler } of update.claims ?? []) {
    const owner = space.owners.get(collection);
    if (owner !== undefined && (owner.thread !== lease.thread || owner.handler !== handler))
      return { status: "owned", collection, ...owner };
  }
  const { waiting: _, ...state } = thread.state;
  write(thread, {
    ...state,
    leasedUntil: update.leasedUntil,
    cursors: cursorsAfter(state.cursors, update),
    ...(update.waiting === undefined ? {} : { waiting: Object.freeze({ ...update.waiting }) }),
  });
  for (const { collection, handler } of update.claims ?? [])
    space.owners.set(collection, Object.freeze({ thread: lease.thread, handler }));
  for (const { collections } of update.forgotten ?? []) for (const collection of collections) space.owners.delete(collection);
  for (const view of update.views ?? []) writeView(space, view);
  for (const parked of update.park ?? []) thread.parked.set(keyOfParked(parked), Object.freeze({ ...parked }));
  for (const key of update.unpark ?? []) thread.parked.delete(keyOfParked(key));
  return { status: "committed" };
}

/** Parked events of a thread, by handler, position and index. */
export function parkedIn(space: Space, thread: string): readonly ParkedEvent[] {
  return [...(space.threads.get(thread)?.parked.values() ?? [])].sort(compareParked);
}

/** One page of them. */
export function parkedPage(
  space: Space,
  thread: string,
  options: { readonly handler?: string; readonly after?: ParkedKey; readonly limit: number },
): ParkedPage {
  const { handler, after, limit } = options;
  const left = parkedIn(space, thread).filter(
    (event) => (handler === undefined || event.handler === handler) && (after === undefined || compareParked(event, after) > 0),
  );
  const parked = left.slice(0, limit);
  const last = parked.at(-1);
  if (left.length <= limit || last === undefined) return { parked };
  return { parked, next: { handler: last.handler, position: last.position, index: last.index } };
}

/** Takes a thread's record, or that of a parked event, from an export. */
export function placeIn(space: Space, record: Extract<ExportRecord, { kind: "thread" | "parked" }>): void {
  const thread = threadOf(space, record.thread);
  if (record.kind === "parked") thread.parked.set(keyOfParked(record.parked), record.parked);
  else {
    const cursors = Object.entries(record.cursors).map(
      ([handler, position]) => [handler, Object.freeze(importedCursor(position))] as const,
    );
    write(thread, { ...thread.state, cursors: Object.freeze(Object.fromEntries(cursors)) });
  }
}

function threadOf(space: Space, name: string): Thread {
  let thread = space.threads.get(name);
  if (thread === undefined) {
    thread = { state: space.stateOf(name), parked: new Map() };
    space.threads.set(name, thread);
  }
  return thread;
}

function write(thread: Thread, state: ThreadState): void {
  thread.state = Object.freeze({ ...state, revision: String(Number(thread.state.revision) + 1) });
}

function writeView(space: Space, { collection, id, value }: ViewWrite): void {
  const views = space.views.get(collection) ?? new Map();
  space.views.set(collection, views);
  if (value === undefined) views.delete(id);
  else views.set(id, value);
}

function keyOfParked({ handler, position, index }: ParkedKey): string {
  return `${handler}/${position}/${index}`;
}

function compareParked(a: ParkedKey, b: ParkedKey): number {
  if (a.handler !== b.handler) return a.handler < b.handler ? -1 : 1;
  return a.position - b.position || a.index - b.index;
}
