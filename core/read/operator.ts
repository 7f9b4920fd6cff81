import { checkArgument, checkInteger } from "../model/arguments.ts";
import type { PositionedCommit } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import { upcast } from "../model/upcast.ts";
import { cursorIn, type Failure, type ParkedEvent } from "../ports/threads.ts";
import { textOf } from "./failure-policy.ts";
import type { Progress } from "./progress.ts";
import { type Delivery, deliveryTo, type Subscriber } from "./subscriber.ts";
import { OPERATOR_LEASE, type ThreadSetting, withThread } from "./thread-lease.ts";

// What an operator can do about a thread; each move leases the thread for a moment.

/** Lets a handler that failed or halted try again at once, with its attempts forgotten. */
export function resume(setting: ThreadSetting, handler: string): Promise<void> {
  return moveFailure(setting, handler, (failure) => failure);
}

/** Passes over the event at which a handler stands; the reason is kept until the handler has moved on. */
export function skip(setting: ThreadSetting, handler: string, reason: string): Promise<void> {
  const error = textOf(`skipped: ${reason}`);
  return moveFailure(setting, handler, (failure) => ({ ...failure, index: failure.index + 1, error }));
}

function moveFailure(setting: ThreadSetting, handler: string, move: (failure: Failure) => Failure): Promise<void> {
  return withThread(setting, (progress, state) => {
    const cursor = cursorIn(state, handler);
    if (cursor?.failure === undefined) throw Err.notFound(`a failure of handler ${handler} on thread ${setting.thread}`);
    progress.move(handler, { ...cursor, failure: { ...move(cursor.failure), attempts: 0, retryAt: 0, halted: false } });
  });
}

/** Moves a handler back to a position (0 = the start). A projection's views are deleted first, and it goes back to the start only. */
export async function rewind(setting: ThreadSetting, { name, collection }: Subscriber, to: number): Promise<void> {
  checkInteger(to, "to", 0);
  checkArgument(collection === undefined || to === 0, "to", "a projection goes back to 0 only: its views begin anew");
  await withThread(setting, (progress, state) => {
    const cursor = cursorIn(state, name);
    if (cursor === undefined) throw Err.notFound(`handler ${name} on thread ${setting.thread}`);
    checkArgument(to <= cursor.position, "to", `it stands at ${cursor.position}: rewind moves back only`);
    progress.moveBack(name, collection === undefined ? { position: to } : { position: 0, collection, isClearing: true });
  });
}

/** Hands parked events to their handler again, the oldest first; those that succeed leave the dead letters. */
export async function retryParked(setting: ThreadSetting, subscriber: Subscriber): Promise<{ retried: number; failed: number }> {
  const { store, platform, tenant, thread } = setting;
  const result = { retried: 0, failed: 0 };
  await withThread(setting, async (progress) => {
    const delivery = deliveryTo(subscriber, setting, progress);
    for (let after: ParkedEvent | undefined, isLast = false; !isLast; ) {
      const page = await store.parked(tenant, thread, { handler: subscriber.name, limit: 20, ...(after && { after }) });
      for (const parked of page.parked) {
        result[(await retry(setting, delivery, parked, progress)) ? "retried" : "failed"]++;
        after = parked;
      }
      isLast = page.next === undefined;
      if (!(await progress.store(platform.now() + OPERATOR_LEASE))) return;
    }
  });
  return result;
}

async function retry(setting: ThreadSetting, delivery: Delivery, parked: ParkedEvent, progress: Progress): Promise<boolean> {
  const commit = await commitAt(setting, parked.position);
  const event = commit?.events[parked.index];
  if (commit === undefined || event === undefined || !delivery.handles(event.name)) return false;
  await delivery.prepare([commit]);
  try {
    await delivery.handle(upcast(event, setting.upcasters.get(commit.type)), commit, parked.index);
  } catch (error) {
    progress.park({ ...parked, attempts: parked.attempts + 1, error: textOf(error) });
    return false;
  }
  progress.unpark({ handler: parked.handler, position: parked.position, index: parked.index });
  return true;
}

async function commitAt({ store, tenant }: ThreadSetting, position: number): Promise<PositionedCommit | undefined> {
  const { commits } = await store.read(tenant, position - 1, 1);
  return commits[0]?.position === position ? commits[0] : undefined;
}
