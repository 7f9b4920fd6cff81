import type { Trace } from "../../core/index.ts";
import type { Attributes, Counter, Instrument, Meter } from "./client.ts";

/** Notes what a trace tells in numbers. */
type Note = (trace: Trace, attributes: Attributes) => void;

/** What is measured, by the method of the trace; what no trace tells is not measured. */
export type Measures = Readonly<Partial<Record<Trace["method"], Note>>>;

/** Buckets for work of milliseconds, in s: those of the SDK begin with all that takes up to 5. */
const SHORT = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** Makes the instruments of a meter, and says which trace goes where. */
export function measuresOf(meter: Meter): Measures {
  const counter = (name: string, unit: string, description: string): Counter =>
    meter.createCounter(`evenant.${name}`, { unit: `{${unit}}`, description });
  const histogram = (name: string, unit: string, description: string): Instrument =>
    meter.createHistogram(`evenant.${name}`, { unit, description });
  const timer = (name: string, description: string): Instrument =>
    meter.createHistogram(`evenant.${name}`, { unit: "s", description, advice: { explicitBucketBoundaries: [...SHORT] } });

  const commands = counter("commands", "command", "Commands that came to an end, by outcome");
  const commandTime = timer("command.duration", "From a command's call to its end");
  const retries = counter("command.retries", "retry", "Times that a command was decided again");
  const conflicts = counter("conflicts", "conflict", "Commits that found their aggregate changed");
  const groups = histogram("commit.group", "{commit}", "Commits that went to the store in one call");
  const polls = counter("polls", "poll", "Polls of a thread, by status");
  const handled = counter("handled", "event", "Events that handlers finished");
  const handlerTime = timer("handler.duration", "How long a handler worked on an event, or on its batch");
  const errors = counter("errors", "error", "Handlers, polls and runs that failed");
  const parked = counter("parked", "event", "Events that were set aside");
  const lagCommits = histogram("lag.commits", "{commit}", "Commits that wait for a handler, each time the lag is asked for");
  const lagTime = histogram("lag.duration", "s", "How long the first of them has waited");
  const published = counter("published", "event", "Events that a broker acknowledged");
  const breakers = counter("breaker.changes", "change", "Times that a breaker changed its state");

  return {
    command: (trace, attributes) => {
      commands.add(1, attributes);
      commandTime.record(numberOf(trace.ms) / 1_000, attributes);
      if (numberOf(trace.retries) > 0) retries.add(numberOf(trace.retries), attributes);
    },
    conflict: (_, attributes) => conflicts.add(1, attributes),
    commit: (trace, attributes) => groups.record(numberOf(trace.commits), attributes),
    poll: (trace, attributes) => {
      polls.add(1, attributes);
      handled.add(numberOf(trace.handled), attributes);
    },
    handle: (trace, attributes) => handlerTime.record(numberOf(trace.ms) / 1_000, attributes),
    error: (_, attributes) => errors.add(1, attributes),
    park: (_, attributes) => parked.add(1, attributes),
    lag: (trace, attributes) => {
      lagCommits.record(numberOf(trace.commits), attributes);
      lagTime.record(numberOf(trace.seconds), attributes);
    },
    publish: (trace, attributes) => published.add(numberOf(trace.acknowledged), attributes),
    breaker: (_, attributes) => breakers.add(1, attributes),
  };
}

function numberOf(fact: unknown): number {
  return typeof fact === "number" ? fact : 0;
}
