import { type CursorOutcome, type CursorUpdate, type Lease, type Peek, TenantError, type ThreadState } from "../../core/index.ts";
import { checkForward, cursorsAfter } from "../../core/store-kit.ts";
import type { Item } from "./client.ts";
import { type Key, openPageKey, ownerKey, parkedKey, textOfKey, threadKey, viewKey } from "./keys.ts";
import { isReadable, openPageOf } from "./open-page.ts";
import { parkedItem } from "./parked.ts";
import { getItem, getItems } from "./reads.ts";
import { type Budget, type Expression, textIn } from "./requests.ts";
import { CLOSED, freeThread, isFree, threadItem, threadStateOf } from "./thread-state.ts";
import { viewItem } from "./views.ts";
import { Parts, putItem, transact, updateItem } from "./writes.ts";

/** The most parts of one transaction. */
const MOST_PARTS = 100;
/** How long a thread stays leased at least while what was written with it comes to be seen, in ms. */
const SETTLING = 5_000;

/** A thread and the head of its tenant's order, in one request for two items. */
export async function peekThread(budget: Budget, tenant: string, thread: string): Promise<Peek> {
  const [pageKey, key] = [openPageKey(tenant), threadKey(tenant, thread)];
  const found = await getItems(budget, [pageKey, key]);
  const page = openPageOf(found.get(textOfKey(pageKey)));
  if (!isReadable(page)) return { thread: freeThread(0), head: 0 };
  const item = found.get(textOfKey(key));
  return { thread: item === undefined ? freeThread(page.firstFence) : threadStateOf(item), head: page.count };
}

/** Leases a thread if its revision is still the one that was seen. The first lease also checks that the tenant is there. */
export async function acquireThread(
  budget: Budget,
  lease: Omit<Lease, "fence">,
  seen: ThreadState,
  leasedUntil: number,
): Promise<Lease | undefined> {
  const { tenant, thread } = lease;
  const fence = seen.fence + 1;
  const revision = budget.database.platform.newId();
  const isTaken = isFree(seen)
    ? await createThread(budget, lease, { fence, leasedUntil, cursors: {}, revision })
    : seen.revision !== CLOSED && (await takeThread(budget, lease, seen, { fence, leasedUntil, revision }));
  if (isTaken) return Object.freeze({ tenant, thread, fence });
  const page = openPageOf(await getItem(budget, openPageKey(tenant)));
  if (!isReadable(page)) throw new TenantError(tenant, page?.status ?? "absent");
  return undefined;
}

/**
 * Moves cursors and writes views, claims and parked events as a whole, if the lease's fence is the thread's. One read, then the writes.
 *
 * Until a transaction is acknowledged, plain reads may see some of its items before others: whoever saw the thread free could fold on views
 * from before. So a transaction never frees the thread; a write of its own does that, after the acknowledgement.
 */
export async function commitCursors(budget: Budget, lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
  const { tenant, thread } = lease;
  const key = threadKey(tenant, thread);
  const revision = budget.database.platform.newId();
  for (let tries = 0; ; tries++) {
    const item = await getItem(budget, key);
    const state = item === undefined ? undefined : threadStateOf(item);
    // Our own write, whose reply was lost. What was written with it may not be seen yet: the thread stays leased for the rest of its time.
    if (state?.revision === revision) return { status: "committed" };
    if (state === undefined || state.fence !== lease.fence) return { status: "fenced" };
    checkForward(state.cursors, update);
    const condition = { expression: "#revision = :revision", values: { ":revision": state.revision } };
    const parts = partsOf(budget, lease, update);
    const isAlone = parts.items.length === 0;
    const isSettled = isAlone || update.leasedUntil > 0;
    const leasedUntil = isSettled ? update.leasedUntil : budget.database.platform.now() + SETTLING;
    const next = threadItem(tenant, thread, moved(state, { ...update, leasedUntil }, revision));
    const written = isAlone
      ? await putThread(budget, next, condition)
      : await writeParts(budget, lease, update, parts.put(next, condition), revision);
    if (written === "done") {
      if (!isSettled) await freeThreadItem(budget, key, revision);
      return { status: "committed" };
    }
    if (written !== "retry") return written;
    await budget.pauseOrThrow(tries);
  }
}

async function putThread(budget: Budget, item: Item, condition: Expression): Promise<"done" | "retry"> {
  return (await putItem(budget, item, condition)).isDone ? "done" : "retry";
}

/** Ends the lease of whoever wrote a revision; where that fails, the lease ends by its time. */
async function freeThreadItem(budget: Budget, key: Key, revision: string): Promise<void> {
  const values = { ":free": 0, ":next": budget.database.platform.newId() };
  try {
    await updateItem(
      budget,
      key,
      { expression: "SET #leasedUntil = :free, #revision = :next", values },
      { expression: "#revision = :revision", values: { ":revision": revision } },
    );
  } catch {
    // What was to be stored is stored.
  }
}

async function createThread(budget: Budget, { tenant, thread }: Omit<Lease, "fence">, state: ThreadState): Promise<boolean> {
  const parts = new Parts(budget)
    .check(openPageKey(tenant), {
      expression: "#status = :open OR #status = :suspended",
      values: { ":open": "open", ":suspended": "suspended" },
    })
    .put(threadItem(tenant, thread, state), { expression: "attribute_not_exists(pk)" });
  if ((await transact(budget, parts.items, state.revision)).isDone) return true;
  const item = await getItem(budget, threadKey(tenant, thread));
  return item !== undefined && textIn(item, "revision") === state.revision;
}

async function takeThread(
  budget: Budget,
  { tenant, thread }: Omit<Lease, "fence">,
  seen: ThreadState,
  { fence, leasedUntil, revision }: Pick<ThreadState, "fence" | "leasedUntil" | "revision">,
): Promise<boolean> {
  const outcome = await updateItem(
    budget,
    threadKey(tenant, thread),
    {
      expression: "SET #fence = :fence, #leasedUntil = :until, #revision = :next",
      values: { ":fence": fence, ":until": leasedUntil, ":next": revision },
    },
    { expression: "#revision = :seen", values: { ":seen": seen.revision } },
  );
  return outcome.isDone || outcome.found?.revision === revision;
}

function moved({ waiting: _, ...state }: ThreadState, update: CursorUpdate, revision: string): ThreadState {
  return {
    ...state,
    revision,
    leasedUntil: update.leasedUntil,
    cursors: cursorsAfter(state.cursors, update),
    ...(update.waiting !== undefined && { waiting: update.waiting }),
  };
}

function partsOf(budget: Budget, { tenant, thread }: Lease, { views, claims, forgotten, park, unpark }: CursorUpdate): Parts {
  const parts = new Parts(budget);
  for (const { collection, handler } of claims ?? []) {
    parts.put(
      { ...ownerKey(tenant, collection), thread, handler },
      {
        expression: "attribute_not_exists(pk) OR (#thread = :thread AND #handler = :handler)",
        values: { ":thread": thread, ":handler": handler },
      },
    );
  }
  for (const { collections } of forgotten ?? []) for (const collection of collections) parts.delete(ownerKey(tenant, collection));
  // One item may not come twice in a transaction: the last change of each counts.
  const last = new Map((views ?? []).map((view) => [textOfKey(viewKey(tenant, view.collection, view.id)), view]));
  for (const { collection, id, value } of last.values()) {
    if (value === undefined) parts.delete(viewKey(tenant, collection, id));
    else parts.put(viewItem(tenant, collection, id, value));
  }
  const parked = new Map((park ?? []).map((event) => [parkedKey(tenant, thread, event).sk, event]));
  for (const key of unpark ?? []) {
    const spelled = parkedKey(tenant, thread, key);
    parked.delete(spelled.sk);
    parts.delete(spelled);
  }
  for (const event of parked.values()) parts.put(parkedItem(tenant, thread, event));
  return parts;
}

async function writeParts(
  budget: Budget,
  lease: Lease,
  { claims = [] }: CursorUpdate,
  parts: Parts,
  token: string,
): Promise<CursorOutcome | "done" | "retry"> {
  // Claims may come before their views; they stand first, so the surplus is theirs, save for impossible numbers of views.
  const surplus = parts.items.length - MOST_PARTS;
  const owned = surplus > 0 ? await ownedBy(budget, lease, claims) : undefined;
  if (owned !== undefined) return owned;
  for (let start = 0; start < surplus; start += MOST_PARTS) {
    const some = parts.items.slice(start, Math.min(start + MOST_PARTS, surplus));
    if (!(await transact(budget, some, `${token}-${start}`)).isDone) return (await ownedBy(budget, lease, claims)) ?? "retry";
  }
  const { isDone } = await transact(budget, parts.items.slice(Math.max(0, surplus)), token);
  if (isDone) return "done";
  const item = await getItem(budget, threadKey(lease.tenant, lease.thread));
  if (item === undefined || item.fence !== lease.fence) return { status: "fenced" };
  return item.revision === token ? { status: "committed" } : ((await ownedBy(budget, lease, claims)) ?? "retry");
}

/** The first claimed collection that belongs to somebody else. */
async function ownedBy(
  budget: Budget,
  { tenant, thread }: Lease,
  claims: NonNullable<CursorUpdate["claims"]>,
): Promise<CursorOutcome | undefined> {
  const keys = claims.map(({ collection }) => ownerKey(tenant, collection));
  const owners = await getItems(budget, keys);
  for (const [index, { collection, handler }] of claims.entries()) {
    const owner = owners.get(textOfKey(keys[index] as (typeof keys)[number]));
    if (owner === undefined) continue;
    const found = { thread: textIn(owner, "thread"), handler: textIn(owner, "handler") };
    if (found.thread !== thread || found.handler !== handler) return { status: "owned", collection, ...found };
  }
  return undefined;
}
