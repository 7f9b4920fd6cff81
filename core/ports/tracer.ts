/** One thing that happened inside Evenant; never a payload, so that traces are safe to keep. */
export interface Trace {
  readonly method:
    | "command"
    | "conflict"
    | "load"
    | "commit"
    | "poll"
    | "handle"
    | "park"
    | "commitCursors"
    | "lag"
    | "publish"
    | "breaker"
    | "error";
  readonly tenant?: string;
  readonly [fact: string]: unknown;
}

/** Where traces go. The function is called only by a tracer that wants the trace; a tracer must not throw. */
export interface ITracer {
  trace(make: () => Trace): void;
}
