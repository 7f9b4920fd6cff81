import { setTimeout as sleep } from "node:timers/promises";
import { type AnyHandler, checkInteger, checkName, Err, type IEventStore, type PollResult } from "../core/index.ts";
import { coalesced } from "./coalesce.ts";
import { LEASE, type Service } from "./composition.ts";
import { errorFacts, type Log } from "./log.ts";

/*
 * Triggers (a written Firestore document, a record of DynamoDB Streams, a message) are doorbells: they say that a tenant may have news, and
 * the log is what is read. A trigger that comes twice finds nothing to do, one that is late or out of order finds what is there, one that
 * is lost is made up for by the next one or by the sweep, and a forged one costs one read at most.
 */

/** What a doorbell works with. */
export interface DoorbellSetting {
  readonly store: Pick<IEventStore, "status">;
  readonly service: Pick<Service, "reader" | "threads">;
  readonly log?: Log;
}

/** How long a ring may take. */
export interface RingOptions {
  /** What the platform leaves, in ms, less the time that a handler needs for the commit in hand: then nothing more is begun. */
  readonly budget: number;
}

/** What became of a ring. */
export interface Rung {
  readonly tenant: string;
  /**
   * `idle`: everything is read. `blocked`: a handler stands at a failure. `leased`: another reader is at it, and goes on. `unfinished`: the
   * time is over; the next ring or sweep goes on. `unknown`: there is no such tenant.
   */
  readonly status: RungStatus;
  /** How many events handlers finished. */
  readonly handled: number;
}

/** The status of a ring; of several threads the one that comes last here counts. */
export type RungStatus = "unknown" | "idle" | "blocked" | "leased" | "unfinished";

/** Answers a ring for a tenant. @throws {Err} `store` where a poll failed, after the other threads have come to their end. */
export type Ring = (tenant: string, options: RingOptions) => Promise<Rung>;

const ORDER: readonly RungStatus[] = ["unknown", "idle", "blocked", "leased", "unfinished"];
/** How long to wait for a handler's next try, in ms; longer pauses are left to the sweep. */
const PATIENCE = 5_000;
/** The pauses while the next commit is being written, in ms: the first, doubled up to the last. */
const FIRST_PAUSE = 50;
const LAST_PAUSE = 1_000;

/**
 * Makes the doorbell of a service: each ring polls all threads of its tenant until they are idle or its time is over.
 *
 * Rings of one tenant in one process are read one after another, and those that wait share one reading.
 */
export function doorbell(setting: DoorbellSetting): Ring {
  const answer = coalesced((tenant: string, until: number) => readTenant(setting, tenant, until));
  return async (tenant, { budget }) => {
    checkInteger(budget, "budget", 1);
    if (!isNameOfTenant(tenant)) return { tenant, status: "unknown", handled: 0 };
    return answer(tenant, Date.now() + budget);
  };
}

async function readTenant(setting: DoorbellSetting, tenant: string, until: number): Promise<Rung> {
  const left = until - Date.now();
  if (left <= 0) return { tenant, status: "unfinished", handled: 0 };
  const life = await setting.store.status(tenant);
  if (life !== "open" && life !== "suspended") return { tenant, status: "unknown", handled: 0 };
  const signal = AbortSignal.timeout(left);
  // Together, because threads do not depend on each other; and each to its end, so that a failure of one stops no other.
  const readings = await Promise.allSettled(
    Object.entries(setting.service.threads).map(([thread, handlers]) => readThread(setting, tenant, thread, handlers, signal)),
  );
  let rung: Rung = { tenant, status: "idle", handled: 0 };
  for (const reading of readings) {
    if (reading.status === "rejected") throw reading.reason;
    rung = { tenant, status: laterOf(rung.status, reading.value.status), handled: rung.handled + reading.value.handled };
  }
  return rung;
}

/**
 * Polls until nothing is left. After progress it always looks once more: a ring that found the thread leased by this reader has gone,
 * relying on that.
 */
async function readThread(
  { service, log }: DoorbellSetting,
  tenant: string,
  thread: string,
  handlers: readonly AnyHandler[],
  signal: AbortSignal,
): Promise<Pick<Rung, "status" | "handled">> {
  let handled = 0;
  let pause = FIRST_PAUSE;
  let wasLeased = false;
  try {
    for (;;) {
      const result = await service.reader.poll(tenant, thread, handlers, { signal, lease: LEASE });
      handled += result.handled;
      if (signal.aborted) return { status: "unfinished", handled };
      if (result.status === "progressed") pause = FIRST_PAUSE;
      const next = nextStep(result, pause, wasLeased);
      if (typeof next === "string") return { status: next, handled };
      wasLeased = result.status === "leased";
      if (result.status === "waiting") pause = Math.min(pause * 2, LAST_PAUSE);
      if (next > 0) await sleep(next, undefined, { signal }).catch(() => {});
      if (signal.aborted) return { status: wasLeased ? "leased" : "unfinished", handled };
    }
  } catch (error) {
    log?.("ERROR", "a thread could not be polled", { tenant, thread, error: errorFacts(error) });
    throw error;
  }
}

/** How long to wait before the next poll, in ms, or why there is none. */
function nextStep({ status, retryAt }: PollResult, pause: number, wasLeased: boolean): number | RungStatus {
  switch (status) {
    case "progressed":
      return 0;
    case "waiting":
      return pause;
    case "leased":
      // A reader that lives renews its lease, and looks again when it has finished; one that died has lost it by then.
      return wasLeased ? "leased" : LEASE * (1 + Math.random() / 4);
    case "blocked": {
      const wait = retryAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, retryAt - Date.now());
      return wait <= PATIENCE ? wait : "blocked";
    }
    case "idle":
      return "idle";
  }
}

function laterOf(one: RungStatus, other: RungStatus): RungStatus {
  return ORDER.indexOf(one) > ORDER.indexOf(other) ? one : other;
}

/** Triggers are not trusted: what is no name costs nothing. */
function isNameOfTenant(tenant: string): boolean {
  try {
    checkName(tenant, "tenant");
    return true;
  } catch (error) {
    if (Err.is(error)) return false;
    throw error;
  }
}
