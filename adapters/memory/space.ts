import type { JsonObject, ParkedEvent, TenantStatus, ThreadState } from "../../core/index.ts";
import { Log } from "./log.ts";

/** Who may write a collection of views. */
export interface Owner {
  readonly thread: string;
  readonly handler: string;
}

/** A thread's state and its dead letters. */
export interface Thread {
  state: ThreadState;
  readonly parked: Map<string, ParkedEvent>;
}

/** All that belongs to one tenant: dropping it leaves nothing behind. */
export class Space {
  readonly log = new Log();
  readonly threads = new Map<string, Thread>();
  readonly owners = new Map<string, Owner>();
  readonly views = new Map<string, Map<string, JsonObject>>();
  /** Where fences and revisions begin: beyond those of the tenant's earlier life, so that no old lease fits. */
  readonly firstFence: number;
  /** The tenant's life: each begins with a higher fence. */
  readonly life: string;

  constructor(firstFence: number) {
    this.firstFence = firstFence;
    this.life = String(firstFence);
  }

  /** A number beyond the fence and revision of any thread, for the tenant's next life to begin with. */
  get nextFence(): number {
    let next = this.firstFence;
    for (const { state } of this.threads.values()) next = Math.max(next, Number(state.revision) + 1);
    return next;
  }

  /** The state of a thread; one that was never used is free, without cursors. */
  stateOf(thread: string): ThreadState {
    return this.threads.get(thread)?.state ?? freeThread(this.firstFence);
  }
}

/** The state of a thread that was never used. */
export function freeThread(firstFence: number): ThreadState {
  return Object.freeze({ fence: firstFence, leasedUntil: 0, cursors: Object.freeze({}), revision: String(firstFence) });
}

/** A tenant in the registry; `space` is there while it can be read. */
export interface Tenant {
  status: TenantStatus;
  space: Space | undefined;
  firstFence: number;
  erasedAt: number;
}
