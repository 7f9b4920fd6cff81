import type { AggregateClass } from "../model/aggregate.ts";
import type { IPlatform, Signal } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import type { FailurePolicy } from "./failure-policy.ts";
import type { PollOptions } from "./poll.ts";

/** Settings of a stream reader. */
export interface StreamReaderOptions extends FailurePolicy {
  readonly tracer?: ITracer;
  /** Clock, jitter and sleep; for tests. */
  readonly platform?: IPlatform;
  /** The classes whose upcasters are applied to old events before handlers see them. */
  readonly aggregates?: readonly AggregateClass[];
}

/** Settings of a run. */
export interface RunOptions extends Omit<PollOptions, "signal"> {
  readonly signal: Signal;
  /** How many tenants are read at the same time; default 4. */
  readonly concurrency?: number;
  /** How often to look for new tenants, and for news where the store cannot watch, in ms; default 1,000. */
  readonly interval?: number;
}
