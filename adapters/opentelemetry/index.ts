export type { Attributes, Instrument, Meter, Span, SpanOptions, SpanTracer } from "./client.ts";
export { type OpenTelemetryOptions, OpenTelemetryTracer } from "./tracer.ts";
