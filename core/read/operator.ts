import { checkArgument, checkInteger } from "../model/arguments.ts";
import { Err } from "../model/errors.ts";
import { type Cursor, cursorIn, type Failure } from "../ports/threads.ts";
import { commitAt } from "./dead-letters.ts";
import { textOf } from "./failure-policy.ts";
import type { Generation } from "./generation.ts";
import { aggregateOf, isOfGeneration, parkedOf } from "./held-aggregates.ts";
import { otherOf } from "./other-generation.ts";
import type { Progress } from "./progress.ts";
import type { Subscriber } from "./subscriber.ts";
import { type ThreadSetting, withThread } from "./thread-lease.ts";

// What an operator can do about a thread; each move leases the thread for a moment.

/** Lets a handler that failed or halted try again at once, with its attempts forgotten. */
export function resume(setting: ThreadSetting, handler: string): Promise<void> {
  return moveFailure(setting, handler, (failure) => failure);
}

/** Passes over the event at which a handler stands, for good; it goes to the dead letters, with the reason. */
export function skip(setting: ThreadSetting, handler: string, reason: string): Promise<void> {
  return moveFailure(setting, handler, async (failure, progress, { generation }) => {
    const { position, index, attempts, error } = failure;
    const commit = await commitAt(setting, position);
    progress.park({
      ...{ handler, position, index, attempts, error },
      event: commit?.events[index]?.name ?? "",
      ...(commit && { aggregate: aggregateOf(commit) }),
      ...(generation && { generation }),
      parkedAt: setting.platform.now(),
      reason: textOf(reason),
    });
    return { ...failure, index: index + 1, error: textOf(`skipped: ${reason}`) };
  });
}

function moveFailure(
  setting: ThreadSetting,
  handler: string,
  move: (failure: Failure, progress: Progress, cursor: Cursor) => Failure | Promise<Failure>,
): Promise<void> {
  return withThread(setting, async (progress, state) => {
    const cursor = cursorIn(state, handler);
    // A place inside a commit is no failure: the event there has not been tried yet.
    if (cursor?.failure === undefined || cursor.failure.attempts + cursor.failure.retryAt === 0)
      throw Err.notFound(
        `a failure of handler ${handler} on thread ${setting.thread}`,
        "check the name, or go on: it has not failed",
      );
    const failure = await move(cursor.failure, progress, cursor);
    progress.move(handler, { ...cursor, failure: { ...failure, attempts: 0, retryAt: 0, halted: false } });
  });
}

/** Moves a handler back to a position (0 = the start). A projection's views are deleted first, and it goes back to the start only. */
export async function rewind(setting: ThreadSetting, { name, collection, version }: Subscriber, to: number): Promise<void> {
  checkInteger(to, "to", 0);
  checkArgument(
    collection === undefined || to === 0,
    "to",
    "a projection can only be rewound to 0, because its views are made anew",
  );
  await withThread(setting, async (progress, state) => {
    const cursor = cursorIn(state, name);
    if (cursor === undefined) throw Err.notFound(`handler ${name} on thread ${setting.thread}`);
    checkArgument(
      to <= cursor.position,
      "to",
      `the handler is at ${cursor.position}, and rewind only moves back: give at most that`,
    );
    if (cursor.retired !== undefined && (await hasParked(setting, name, otherOf(cursor))))
      throw Err.precondition(
        `the earlier views of ${collection} have dead letters, which these may park again under the same keys: roll back, or discard the earlier views first`,
      );
    const { failure: _, version: __, ...kept } = cursor;
    const begun = collection === undefined ? {} : { isClearing: true, ...(version && { version }) };
    progress.moveBack(name, { ...kept, position: to, ...begun });
  });
}

async function hasParked(setting: ThreadSetting, handler: string, generation: Generation): Promise<boolean> {
  for await (const parked of parkedOf(setting, handler)) if (isOfGeneration(parked, generation)) return true;
  return false;
}
