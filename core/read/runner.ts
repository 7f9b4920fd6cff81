import { Err } from "../model/errors.ts";
import type { IEventStore } from "../ports/event-store.ts";
import type { IPlatform, Signal } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import type { PollResult } from "./poll.ts";
import { TenantQueue } from "./tenant-queue.ts";

/** What keeps a thread of many tenants running. */
export interface RunSetting {
  readonly store: IEventStore;
  readonly platform: IPlatform;
  readonly tracer: ITracer | undefined;
  readonly tenants: readonly string[] | "all";
  readonly signal: Signal;
  /** How many tenants are read at the same time. */
  readonly concurrency: number;
  /** How often to look for new tenants, and for news where the store has no `watch`, in ms. */
  readonly interval: number;
  readonly poll: (tenant: string) => Promise<PollResult>;
}

/** Rings may be missing, so every tenant is looked at this often even where the store watches, in ms. */
const LOOK_ANYWAY = 30_000;
/** How soon to look again for a commit that may still appear, or for a thread that another reader holds, in ms. */
const LOOK_SOON = 100;
const LOOK_LATER = 1_000;
/** How soon to look whether a tenant's views were rebuilt meanwhile, or its log restored, in ms. */
const LOOK_MUCH_LATER = 10_000;

/** Polls tenants until the signal aborts: whoever has news waits in one queue, so a busy tenant does not starve the others. */
export async function runTenants(setting: RunSetting): Promise<void> {
  const queue = new TenantQueue(setting.platform, setting.signal);
  const workers = Array.from({ length: setting.concurrency }, () => work(setting, queue));
  try {
    await Promise.all([look(setting, queue), ...workers]);
  } finally {
    // Also after an error: the polls in hand come to their end.
    await Promise.allSettled(workers);
  }
}

async function work(setting: RunSetting, queue: TenantQueue): Promise<void> {
  for (;;) {
    const tenant = await queue.next();
    if (tenant === undefined) return;
    try {
      schedule(setting, queue, tenant, await setting.poll(tenant));
    } catch (error) {
      setting.tracer?.trace(() => ({ method: "error", tenant, error }));
      const needsOperator = Err.is(error, "outdated") || Err.is(error, "integrity");
      if (!needsOperator && !Err.is(error, "store") && !Err.is(error, "tenant")) {
        queue.stop();
        throw error;
      }
      // A tenant whose views wait for their rebuild, or that is damaged, does not hold up the others.
      const pause = needsOperator ? LOOK_MUCH_LATER : LOOK_LATER;
      queue.ringAt(tenant, setting.platform.now() + pause * (0.5 + setting.platform.random()));
    } finally {
      queue.done(tenant);
    }
  }
}

function schedule(setting: RunSetting, queue: TenantQueue, tenant: string, result: PollResult): void {
  const now = setting.platform.now();
  // A later time is found again by then: every tenant is looked at anyway, and no timer is as long as a deadline may be.
  if (result.retryAt !== undefined && result.retryAt < now + 2 * LOOK_ANYWAY) queue.ringAt(tenant, result.retryAt);
  if (result.status === "leased") queue.ringAt(tenant, now + LOOK_LATER * (0.5 + setting.platform.random()));
  else if (result.status === "waiting") queue.ringAt(tenant, now + LOOK_SOON);
  else if (result.more && result.status === "progressed") queue.ring(tenant);
}

async function look(setting: RunSetting, queue: TenantQueue): Promise<void> {
  const { store, platform, signal, interval, tracer } = setting;
  const known = new Set<string>();
  let lookedAt = Number.NEGATIVE_INFINITY;
  while (!queue.isStopped) {
    const isDue = store.watch === undefined || platform.now() - lookedAt >= LOOK_ANYWAY;
    if (isDue) lookedAt = platform.now();
    try {
      for await (const tenant of tenantsOf(setting)) {
        if (!known.has(tenant)) {
          known.add(tenant);
          store.watch?.(tenant, () => queue.ring(tenant), signal);
          queue.ring(tenant);
        } else if (isDue) queue.ring(tenant);
      }
    } catch (error) {
      tracer?.trace(() => ({ method: "error", error }));
    }
    await platform.sleep(interval, signal);
  }
}

async function* tenantsOf({ tenants, store }: RunSetting): AsyncIterable<string> {
  if (tenants !== "all") {
    yield* tenants;
    return;
  }
  for (let after: string | undefined, isLast = false; !isLast; ) {
    const page = await store.tenants({ limit: 1_000, ...(after !== undefined && { after }) });
    for (const { tenant, status } of page.tenants) if (status === "open" || status === "suspended") yield tenant;
    after = page.next;
    isLast = after === undefined;
  }
}
