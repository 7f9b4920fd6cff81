import type { PositionedCommit } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import { upcast } from "../model/upcast.ts";
import type { AnyEventHandler, BatchItem, BatchResult } from "../ports/event-handler.ts";
import type { ReadResult } from "../ports/event-store.ts";
import type { Failure } from "../ports/threads.ts";
import { deliveryTo } from "./delivery.ts";
import { failureAt, textOf } from "./failure-policy.ts";
import type { Standing, Turn, TurnSetting } from "./turn.ts";

/** The most events that a handler gets at once: enough for a broker's request, few enough for a lease. */
const EVENTS_A_BATCH = 100;

/** Hands a handler a page's events many at a time; its cursor stands at the first event that it has not finished. */
export async function deliverInBatches(turn: Turn, standing: Standing, page: ReadResult): Promise<void> {
  const { signal, platform, lease } = turn.setting;
  const handler = standing.subscriber.handler as Required<AnyEventHandler>;
  const items = itemsOf(turn, standing, page.commits);
  for (let start = 0; start < items.length; ) {
    const next = items[start] as BatchItem;
    standAt(turn, standing, next);
    const isLeaseAging = platform.now() - turn.storedAt > lease / 3;
    if ((isLeaseAging || turn.progress.isFull) && !(await turn.storeProgress())) return;
    if (signal?.aborted) return;
    if (turn.isHeld(standing, next.commit)) {
      turn.parkBehind(standing, next.commit, next.index);
      start++;
      continue;
    }
    const since = turn.clock();
    const { finished, error, retryAt } = await attempt(turn.setting, handler, batchAt(turn, standing, items, start));
    for (const { event, commit } of items.slice(start, start + finished)) turn.traceHandled(standing, event.name, commit, since);
    turn.handled += finished;
    start += finished;
    const failed = items[start];
    if (failed === undefined || (error === undefined && retryAt === undefined)) continue;
    const failure = standAt(turn, standing, failed);
    if (retryAt !== undefined) {
      const text = textOf(error ?? "the handler asked to wait");
      return turn.stand(standing, { ...standing.cursor, failure: { ...failure, retryAt, error: text } });
    }
    turn.traceHandled(standing, failed.event.name, failed.commit, since, "failed");
    if (!turn.fail(standing, failed.commit, failed.index, error)) return;
    start++;
  }
  const end = Math.max(page.next, page.commits.at(-1)?.position ?? 0);
  if (end > standing.cursor.position) turn.move(standing, end);
}

/** The events of the commits that the handler wants and has not finished. */
function itemsOf(
  { setting, progress }: Turn,
  { subscriber, cursor }: Standing,
  commits: readonly PositionedCommit[],
): BatchItem[] {
  const delivery = deliveryTo(subscriber, setting, progress, cursor.generation);
  return commits.flatMap((commit) => {
    const first = cursor.failure?.position === commit.position ? cursor.failure.index : 0;
    return commit.events.flatMap((event, index) =>
      index < first || !delivery.handles(event.name) ? [] : [{ event, commit, index }],
    );
  });
}

/** Lets the handler stand at an event, with what is known of its failures: everything before it is finished. */
function standAt(turn: Turn, standing: Standing, { commit: { position }, index }: BatchItem): Failure {
  const failure = failureAt(standing.cursor, position, index);
  turn.stand(standing, { ...standing.cursor, position: position - 1, failure });
  return failure;
}

/** The events from a place on, up to the first that waits for a parked one. */
function batchAt(turn: Turn, standing: Standing, items: readonly BatchItem[], start: number): readonly BatchItem[] {
  const batch = items.slice(start, start + EVENTS_A_BATCH);
  const held = batch.findIndex(({ commit }) => turn.isHeld(standing, commit));
  return held < 0 ? batch : batch.slice(0, held);
}

async function attempt(
  { tenant, upcasters }: TurnSetting,
  handler: Required<AnyEventHandler>,
  items: readonly BatchItem[],
): Promise<BatchResult> {
  const batch: BatchItem[] = [];
  try {
    for (const item of items) batch.push({ ...item, event: upcast(item.event, upcasters.get(item.commit.type)) });
  } catch (error) {
    // Those before it go first; then it is the first, and has failed.
    if (batch.length === 0) return { finished: 0, error: reasonOf(error) };
  }
  try {
    return checked(await handler.batch(tenant, batch), batch.length);
  } catch (error) {
    return { finished: 0, error: reasonOf(error) };
  }
}

/** Without a reason, the batch would count as one that goes on, and be handed over for ever. */
function reasonOf(error: unknown): unknown {
  return error ?? new Error("the handler failed without a word");
}

/** A batch that makes no progress and gives no reason would be handed over for ever. */
function checked(result: BatchResult, size: number): BatchResult {
  const { finished, error, retryAt } = result;
  if (retryAt !== undefined && !Number.isFinite(retryAt)) throw Err.invalidArgument("retryAt", "give ms since 1970");
  const isCount = Number.isInteger(finished) && finished >= 0 && finished <= size;
  if (isCount && (finished > 0 || error !== undefined || retryAt !== undefined)) return result;
  throw Err.invalidArgument("finished", `give an integer from 0 to ${size}, with an error or a retryAt if it is 0`);
}
