import { checkInteger } from "../model/arguments.ts";
import { LIMITS, type PositionedCommit, type StoredEvent } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import { checkName } from "../model/ids.ts";
import { type UpcasterMap, upcast } from "../model/upcast.ts";
import { cursorIn, type ParkedEvent, type ParkedKey } from "../ports/threads.ts";
import { type Delivery, deliveryTo } from "./delivery.ts";
import { stackOf, textOf } from "./failure-policy.ts";
import { aggregateKey, isOfGeneration, parkedOf } from "./held-aggregates.ts";
import type { Progress } from "./progress.ts";
import type { Subscriber } from "./subscriber.ts";
import { OPERATOR_LEASE, type ThreadSetting, withThread } from "./thread-lease.ts";

/** Above the index of any event of a commit. */
const LAST_INDEX = LIMITS.events;

/** How many are tried again between two writes. */
const TRIED_AT_ONCE = 20;

/** A parked event with its payload, as handlers see it, or as stored if its upcaster fails. */
export interface DeadLetter {
  readonly parked: ParkedEvent;
  /** The payload is the tenant's data: mind who sees it. */
  readonly event: StoredEvent;
  readonly commit: PositionedCommit;
}

/** The result of retrying parked events. */
export interface Retried {
  readonly retried: number;
  readonly failed: number;
  /** Events that go on waiting, because an earlier one of their aggregate failed again. */
  readonly waiting: number;
}

/** Looks at one parked event. @throws {Err} `not_found` where it is not parked. */
export async function inspectParked(setting: ThreadSetting, key: ParkedKey): Promise<DeadLetter> {
  const parked = await parkedAt(setting, key);
  const commit = await commitAt(setting, key.position);
  const event = commit?.events[key.index];
  if (commit === undefined || event === undefined)
    throw Err.notFound(`the event at position ${key.position}`, "restore it from a backup");
  return { parked, event: shown(event, setting.upcasters.get(commit.type)), commit };
}

/** As handlers see it; as it is stored where it cannot be lifted, which may be why it is parked. */
function shown(event: StoredEvent, upcasters: UpcasterMap | undefined): StoredEvent {
  try {
    return upcast(event, upcasters);
  } catch {
    return event;
  }
}

/** Passes over a parked event for good; it stays among the dead letters, with the reason. @throws {Err} `not_found` where it is not parked. */
export async function skipParked(setting: ThreadSetting, key: ParkedKey, reason: string): Promise<void> {
  checkKey(key);
  await withThread(setting, async (progress) => {
    progress.park({ ...(await parkedAt(setting, key)), reason: textOf(reason) });
  });
}

/**
 * Hands parked events to their handler again, the oldest first; those that succeed leave the dead letters. Those that an operator passed
 * over are left, unless one is named; and those that wait behind an event that fails again.
 */
export async function retryParked(
  setting: ThreadSetting,
  subscriber: Subscriber,
  only?: Omit<ParkedKey, "handler">,
): Promise<Retried> {
  const { platform } = setting;
  if (only !== undefined) await parkedAt(setting, { ...only, handler: subscriber.name });
  return withThread(setting, async (progress, state): Promise<Retried> => {
    const result = { retried: 0, failed: 0, waiting: 0 };
    const generation = cursorIn(state, subscriber.name)?.generation;
    const delivery = deliveryTo(subscriber, setting, progress, generation);
    const standing = new Set<string>();
    let storedAt = platform.now();
    for await (const parked of parkedOf(setting, subscriber.name)) {
      const isNamed = only !== undefined && parked.position === only.position && parked.index === only.index;
      const key = aggregateKey(parked.aggregate);
      const isBehind = parked.attempts === 0 && key !== undefined && standing.has(key);
      if (!isOfGeneration(parked, generation) || (parked.reason !== undefined && !isNamed)) continue;
      if (isNamed && isBehind) throw Err.precondition(`an earlier event of ${key} is parked: retry that one first`);
      const isTried = (only === undefined || isNamed) && !isBehind;
      const outcome = isTried ? await retry(setting, delivery, parked, progress) : "waiting";
      if (outcome !== "retried" && key !== undefined) standing.add(key);
      if (only === undefined || isNamed) result[outcome]++;
      if (!isTried) continue;
      const now = platform.now();
      const isLeaseAging = now - storedAt > OPERATOR_LEASE / 3;
      if (isLeaseAging || progress.isFull || (result.retried + result.failed) % TRIED_AT_ONCE === 0) {
        if (!(await progress.store(now + OPERATOR_LEASE))) return result;
        storedAt = now;
      }
      if (isNamed) return result;
    }
    return result;
  });
}

async function retry(
  setting: ThreadSetting,
  delivery: Delivery,
  { reason: _, ...parked }: ParkedEvent,
  progress: Progress,
): Promise<"retried" | "failed"> {
  const commit = await commitAt(setting, parked.position);
  const event = commit?.events[parked.index];
  if (commit === undefined || event === undefined || !delivery.handles(event.name)) return "failed";
  await delivery.prepare([commit]);
  try {
    await delivery.handle(upcast(event, setting.upcasters.get(commit.type)), commit, parked.index);
  } catch (error) {
    progress.park({ ...parked, attempts: parked.attempts + 1, error: textOf(error), ...stackOf(error) });
    return "failed";
  }
  progress.unpark({ handler: parked.handler, position: parked.position, index: parked.index });
  return "retried";
}

/** The parked event under a key. */
export async function findParked(
  { store, tenant, thread }: ThreadSetting,
  { handler, position, index }: ParkedKey,
): Promise<ParkedEvent | undefined> {
  // The place before: no event has an index above 63, and keys are at least 0.
  const after = index > 0 ? { handler, position, index: index - 1 } : { handler, position: position - 1, index: LAST_INDEX };
  const [parked] = (await store.parked(tenant, thread, { handler, limit: 1, after })).parked;
  return parked?.position === position && parked.index === index ? parked : undefined;
}

/** The commit at a position, if there is one. */
export async function commitAt({ store, tenant }: ThreadSetting, position: number): Promise<PositionedCommit | undefined> {
  const { commits } = await store.read(tenant, position - 1, 1);
  return commits[0]?.position === position ? commits[0] : undefined;
}

function checkKey(key: ParkedKey): void {
  checkName(key?.handler, "key.handler");
  checkInteger(key.position, "key.position", 0);
  checkInteger(key.index, "key.index", 0);
}

async function parkedAt(setting: ThreadSetting, key: ParkedKey): Promise<ParkedEvent> {
  checkKey(key);
  const parked = await findParked(setting, key);
  if (parked === undefined)
    throw Err.notFound(
      `a parked event of ${key.handler} at position ${key.position}, index ${key.index}`,
      "list them with parked",
    );
  return parked;
}
