import { defaultPlatform, Err, type ITracer, type Trace } from "../../core/index.ts";
import type { Attributes, Meter, SpanTracer } from "./client.ts";
import { type Measures, measuresOf } from "./instruments.ts";

/** Settings of the tracer; without a meter nothing is measured, without a tracer there are no spans. */
export interface OpenTelemetryOptions {
  /** From `metrics.getMeter("evenant")`. */
  readonly meter?: Meter;
  /** From `trace.getTracer("evenant")`. */
  readonly tracer?: SpanTracer;
  /**
   * Whether measurements name their tenant; default false, since each tenant then is a time series of its own in every metric. Spans
   * always name it.
   */
  readonly tenants?: boolean;
}

/** What tells measurements apart: few values each, never an id or a payload. */
const LABELS = ["type", "command", "outcome", "thread", "handler", "event", "status", "state"] as const;
/** What ties a span to what caused it: a command, its events, and the commands that answered them. */
const TIES = { correlationId: "evenant.correlation_id", causationId: "evenant.causation_id" } as const;
/** What has a duration becomes a span. */
const SPANS: ReadonlySet<Trace["method"]> = new Set(["command", "poll", "handle"]);
/** `SpanStatusCode.ERROR`. */
const FAILED = 2;

/** Reports to OpenTelemetry what happens: pass it to `CommandHandler`, `StreamReader` and publishers. */
export class OpenTelemetryTracer implements ITracer {
  readonly #measures: Measures;
  readonly #tracer: SpanTracer | undefined;
  readonly #namesTenants: boolean;

  /** @throws {Err} `missing_argument` for options without meter and tracer: nothing would be told. */
  constructor({ meter, tracer, tenants = false }: OpenTelemetryOptions) {
    if (meter === undefined && tracer === undefined) throw Err.missingArgument("meter");
    this.#measures = meter === undefined ? {} : measuresOf(meter);
    this.#tracer = tracer;
    this.#namesTenants = tenants;
  }

  trace(make: () => Trace): void {
    const trace = make();
    const labels = labelsOf(trace);
    const tenant: Attributes = trace.tenant === undefined ? {} : { "evenant.tenant": trace.tenant };
    this.#measures[trace.method]?.(trace, this.#namesTenants ? { ...labels, ...tenant } : labels);
    if (this.#tracer === undefined || !SPANS.has(trace.method)) return;
    const ms = typeof trace.ms === "number" ? trace.ms : 0;
    const name = `evenant.${trace.method}`;
    const span = this.#tracer.startSpan(name, {
      attributes: { ...labels, ...tenant, ...tiesOf(trace) },
      startTime: defaultPlatform.now() - ms,
    });
    if (trace.outcome !== undefined && trace.outcome !== "done") span.setStatus({ code: FAILED, message: String(trace.outcome) });
    span.end();
  }
}

function tiesOf(trace: Trace): Attributes {
  const ties = Object.entries(TIES).flatMap(([fact, name]) => (typeof trace[fact] === "string" ? [[name, trace[fact]]] : []));
  return Object.fromEntries(ties);
}

function labelsOf(trace: Trace): Attributes {
  const labels: Attributes = {};
  for (const label of LABELS) {
    const value = trace[label];
    if (typeof value === "string") labels[`evenant.${label}`] = value;
  }
  return labels;
}
