// The slice of `@opentelemetry/api` (from 1.3 on) that the tracer uses: give `metrics.getMeter(…)` and `trace.getTracer(…)`.

/** What a measurement or a span is told apart by. */
export type Attributes = Record<string, string | number | boolean>;

/** Describes an instrument. */
export interface InstrumentOptions {
  readonly description: string;
  /** By UCUM: `s`, or a noun in braces. */
  readonly unit: string;
  /** Where a histogram's buckets end; an SDK that does not know it takes its own. */
  readonly advice?: { explicitBucketBoundaries: number[] };
}

/** A counter of what happened. */
export interface Counter {
  add(value: number, attributes: Attributes): void;
}

/** A distribution of values. */
export interface Instrument {
  record(value: number, attributes: Attributes): void;
}

/** Makes instruments. */
export interface Meter {
  createCounter(name: string, options: InstrumentOptions): Counter;
  createHistogram(name: string, options: InstrumentOptions): Instrument;
}

/** One piece of work, while it lasts. */
export interface Span {
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  end(): void;
}

/** How a span begins. */
export interface SpanOptions {
  readonly attributes: Attributes;
  /** ms since 1970. */
  readonly startTime: number;
}

/** Makes spans, as children of the one that is active. */
export interface SpanTracer {
  startSpan(name: string, options: SpanOptions): Span;
}
