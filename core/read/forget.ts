import { Err } from "../model/errors.ts";
import { type Cursor, cursorIn } from "../ports/threads.ts";
import { clearViews } from "./clear-views.ts";
import { policyOf } from "./failure-policy.ts";
import { POINTER_ID, placeOf, pointerOf } from "./generation.ts";
import { parkedOf } from "./held-aggregates.ts";
import { siteOf, takenOver } from "./other-generation.ts";
import type { Progress } from "./progress.ts";
import { clearOther } from "./rebuild.ts";
import type { Subscriber } from "./subscriber.ts";
import { LONG_PATIENCE, OPERATOR_LEASE, type ThreadSetting, withThread } from "./thread-lease.ts";
import { Turn } from "./turn.ts";

/**
 * Makes a thread forget a handler: its cursor, its dead letters and, of a projection, the views of both generations and the claim.
 *
 * The views go first, under a mark that makes whoever still polls the handler finish this and begin anew. Begun again after a crash, it
 * finishes the same.
 */
export async function forget(main: ThreadSetting, name: string): Promise<void> {
  const { thread } = await main.store.peek(main.tenant, main.thread);
  const { collection } = known(main, name, cursorIn(thread, name));
  if (collection === undefined) {
    await withThread(main, (progress) => forgetRest(main, progress, name, []), LONG_PATIENCE);
    return;
  }
  const subscriber: Subscriber = { name, collection, handler: { name, events: {} } };
  const site = siteOf(main, subscriber);
  await withThread(
    site.side,
    async (side) => {
      await clearOther(site, side);
      await withThread(
        main,
        async (progress, state) => {
          // Whoever rebuilds takes the side, then the main thread: held both, nobody writes views that nothing would lead to.
          if (!(await side.store(main.platform.now() + OPERATOR_LEASE))) throw takenOver(site);
          const { failure: _, retired: __, ...kept } = known(main, name, cursorIn(state, name));
          const cursor: Cursor = { ...kept, position: 0, isClearing: true };
          progress.moveBack(name, cursor);
          const turn = new Turn({ ...main, policy: policyOf({}), lease: OPERATOR_LEASE, signal: undefined }, progress);
          if (!(await clearViews(turn, { subscriber, cursor }))) throw takenOver(site);
          progress.writeView(pointerOf(collection), POINTER_ID);
          await forgetRest(main, progress, name, [collection, placeOf(collection, 1), pointerOf(collection)]);
        },
        LONG_PATIENCE,
      );
      side.forget(name, []);
    },
    LONG_PATIENCE,
  );
}

/** What is left when there are no views. The cursor last: whoever comes after a crash finds by it what is to be finished. */
async function forgetRest(
  setting: ThreadSetting,
  progress: Progress,
  name: string,
  collections: readonly string[],
): Promise<void> {
  for await (const { handler, position, index } of parkedOf(setting, name)) {
    progress.unpark({ handler, position, index });
    // Fenced out: what ends the lease says so.
    if (progress.isFull && !(await progress.store(setting.platform.now() + OPERATOR_LEASE))) return;
  }
  progress.forget(name, collections);
}

function known({ thread }: ThreadSetting, name: string, cursor: Cursor | undefined): Cursor {
  if (cursor === undefined) throw Err.notFound(`handler ${name} on thread ${thread}`);
  return cursor;
}
