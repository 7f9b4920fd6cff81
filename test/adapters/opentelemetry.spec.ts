import { AsyncLocalStorage } from "node:async_hooks";
import { type Meter as ApiMeter, type Tracer as ApiTracer, SpanStatusCode } from "@opentelemetry/api";
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type Meter, OpenTelemetryTracer, type SpanTracer } from "../../adapters/opentelemetry/index.ts";
import { CommandHandler, ConcurrencyError, Err, StreamReader } from "../../core/index.ts";
import { ScheduledCommand } from "../../core/reactions.ts";
import { Account, Accounts } from "../../examples/bank-account/index.ts";
import { Loan, PaymentWatch } from "../../examples/loan/index.ts";
import { actorOf } from "../support/actors.ts";
import { HandClock } from "../support/hand-clock.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { thrown } from "../support/thrown.ts";

// The compiler's part of the test: the API fits the slice that the adapter describes.
const _meter: (meter: ApiMeter) => Meter = (meter) => meter;
const _tracer: (tracer: ApiTracer) => SpanTracer = (tracer) => tracer;

const SECRET = "a very private owner";

/** A tracer on the real SDK, and what it exports. */
function telemetry(options: { readonly tenants?: boolean } = {}) {
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  // Exports when it is asked, and not before the test is over.
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 });
  const meters = new MeterProvider({ readers: [reader] });
  const exported = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exported)] });
  const tracer = new OpenTelemetryTracer({
    meter: meters.getMeter("evenant"),
    tracer: tracers.getTracer("evenant"),
    ...options,
  });
  /** The points of a metric. */
  const points = async <T = number>(name: string): Promise<readonly DataPoint<T>[]> => {
    await reader.forceFlush();
    const all =
      metrics
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return (all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? []) as unknown as readonly DataPoint<T>[];
  };
  const close = async () => {
    await meters.shutdown();
    await tracers.shutdown();
  };
  return { tracer, points, spans: () => exported.getFinishedSpans(), close };
}

/** Two commands, a refusal, a conflict, a projection, and a handler whose event is parked; on two tenants. */
async function work(tracer: OpenTelemetryTracer): Promise<void> {
  const clock = new HandClock();
  const store = new MemoryEventStore({ now: () => clock.now() });
  const handler = new CommandHandler(store, [Account], { tracer, platform: clock });
  const reader = new StreamReader(store, { tracer, platform: clock, retries: 0, onError: "park" });
  for (const tenant of ["acme", "globex"]) {
    const actor = actorOf(tenant);
    const account = { aggregateId: "a" };
    await handler.command(actor, "OpenAccount", { owner: SECRET, ...account });
    await handler.command(actor, "RecordTransactions", { amounts: [5], text: SECRET, ...account });
    await rejects(Err, handler.command(actor, "OpenAccount", { owner: SECRET, ...account }));
    // Another process was faster: this one's warm state is stale.
    const other = new CommandHandler(store, [Account], { platform: clock });
    await other.command(actor, "RecordTransactions", { amounts: [6], text: SECRET, ...account });
    await handler.command(actor, "RecordTransactions", { amounts: [7], text: SECRET, ...account });
    const stale = { amounts: [8], text: SECRET, ...account, expectedVersion: 0 };
    await rejects(ConcurrencyError, handler.command(actor, "RecordTransactions", stale));
    await pollUntilIdle(reader, tenant, "views", [new Accounts()]);
    const slow = {
      name: "Slow",
      events: {
        AccountOpened: async () => {
          await clock.sleep(2_500);
          throw new Error("no network");
        },
      },
    };
    await pollUntilIdle(reader, tenant, "mail", [slow], { limit: 1 });
    await handler.command(actor, "RecordTransactions", { amounts: [9], text: SECRET, ...account });
    await clock.sleep(4_000);
    await reader.lag(tenant, "views");
  }
}

describe("A tracer on OpenTelemetry", () => {
  const total = (points: readonly DataPoint<number>[], label?: string, value?: string) =>
    points
      .filter(({ attributes }) => label === undefined || attributes[`evenant.${label}`] === value)
      .reduce((sum, point) => sum + point.value, 0);

  it("counts commands by outcome, conflicts, retries, groups, polls, errors and parked events, and times them", async () => {
    const { tracer, points, close } = telemetry();
    await work(tracer);
    const commands = await points("evenant.commands");
    expect(total(commands, "outcome", "done")).to.equal(8);
    expect(total(commands, "outcome", "precondition")).to.equal(2);
    expect(total(commands, "outcome", "concurrency")).to.equal(2);
    expect(total(commands, "command", "OpenAccount")).to.equal(4);
    expect(total(await points("evenant.conflicts"))).to.be.at.least(2);
    expect(total(await points("evenant.command.retries"))).to.equal(2);
    const [groups] = await points<Histogram>("evenant.commit.group");
    expect(groups?.value).to.include({ min: 1, max: 1 });
    expect(total(await points("evenant.parked"), "handler", "Slow")).to.equal(2);
    expect(total(await points("evenant.errors"), "handler", "Slow")).to.equal(2);
    expect(total(await points("evenant.handled"), "thread", "views")).to.equal(8);
    const slow = (await points<Histogram>("evenant.handler.duration")).find(
      ({ attributes }) => attributes["evenant.handler"] === "Slow",
    );
    expect(slow?.value).to.include({ count: 2, min: 2.5, max: 2.5 });
    const [lag] = await points<Histogram>("evenant.lag.commits");
    expect(lag?.attributes).to.deep.equal({ "evenant.thread": "views", "evenant.handler": "Accounts" });
    expect(lag?.value).to.include({ count: 2, min: 1, max: 1 });
    expect((await points<Histogram>("evenant.lag.duration"))[0]?.value).to.include({ min: 4, max: 4 });
    await close();
  });

  it("tells tenants apart in metrics only where it is asked to", async () => {
    for (const tenants of [false, true]) {
      const { tracer, points, close } = telemetry({ tenants });
      await work(tracer);
      const names = new Set((await points("evenant.commands")).map(({ attributes }) => attributes["evenant.tenant"]));
      expect([...names]).to.deep.equal(tenants ? ["acme", "globex"] : [undefined]);
      await close();
    }
  });

  it("makes a span of each command, poll and handled event, failed where they failed, without payloads or ids", async () => {
    const { tracer, points, spans, close } = telemetry();
    await work(tracer);
    const names = new Set(spans().map(({ name }) => name));
    expect([...names].sort()).to.deep.equal(["evenant.command", "evenant.handle", "evenant.poll"]);
    const failed = spans().filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed.map(({ status }) => status.message).sort()).to.deep.equal([
      "concurrency",
      "concurrency",
      "failed",
      "failed",
      "precondition",
      "precondition",
    ]);
    const slow = spans().find(({ attributes }) => attributes["evenant.handler"] === "Slow");
    expect(slow?.duration[0], "seconds").to.be.within(2, 3);
    expect(slow?.attributes).to.include({ "evenant.tenant": "acme", "evenant.event": "AccountOpened" });
    const text = JSON.stringify([spans().map(({ attributes }) => attributes), await points("evenant.commands")]);
    expect(text).to.not.contain(SECRET);
    expect(text).to.not.contain('"a"');
    await close();
  });

  it("ties a command, its event and the command that answers it together", async () => {
    const { tracer, spans, close } = telemetry();
    const store = new MemoryEventStore();
    const handler = new CommandHandler(store, [Loan, ScheduledCommand], { tracer });
    const reader = new StreamReader(store, { tracer });
    const data = { aggregateId: "loan", borrower: "Bob", amount: 1 };
    for (const step of ["CreateLoan", "ApproveLoan"] as const) await handler.command(actorOf("acme"), step, data);
    const { commitId } = await handler.command(actorOf("acme"), "DisburseLoan", data, { correlationId: "case-7" });
    await pollUntilIdle(reader, "acme", "payments", [new PaymentWatch(handler)]);
    await store.close();
    const tied = (name: string, value: string) =>
      spans()
        .filter(({ attributes }) => attributes[name] === value)
        .map(({ name: span, attributes }) => `${span} ${attributes["evenant.command"] ?? attributes["evenant.event"]}`);
    expect(tied("evenant.correlation_id", "case-7")).to.deep.equal([
      "evenant.command DisburseLoan",
      "evenant.command SetDeadline",
      "evenant.handle LoanDisbursed",
    ]);
    expect(tied("evenant.causation_id", commitId)).to.deep.equal(["evenant.command SetDeadline", "evenant.handle LoanDisbursed"]);
    await close();
  });

  it("makes a command's span where the command was sent, although others' go to the store with it", async () => {
    const request = new AsyncLocalStorage<string>();
    const places: unknown[] = [];
    const startSpan: SpanTracer["startSpan"] = (_name, { attributes }) => {
      places.push([attributes["evenant.correlation_id"], request.getStore()]);
      return { setStatus: () => {}, end: () => {} };
    };
    const store = new MemoryEventStore();
    const handler = new CommandHandler(store, [Account], { tracer: new OpenTelemetryTracer({ tracer: { startSpan } }) });
    const ids = ["one", "two", "three"];
    await Promise.all(
      ids.map((id) =>
        request.run(id, () =>
          handler.command(actorOf("acme"), "OpenAccount", { owner: "Bob", aggregateId: id }, { correlationId: id }),
        ),
      ),
    );
    expect(places).to.deep.equal(ids.map((id) => [id, id]));
    await store.close();
  });

  it("tells milliseconds from seconds: what takes 2, 20 and 2,000 ms is counted in buckets of its own", async () => {
    const { tracer, points, close } = telemetry();
    for (const ms of [2, 20, 2_000])
      for (const method of ["command", "handle"] as const) tracer.trace(() => ({ method, ms, outcome: "done" }));
    for (const name of ["evenant.command.duration", "evenant.handler.duration"]) {
      const [duration] = await points<Histogram>(name);
      expect(
        duration?.value.buckets.counts.filter((count) => count > 0),
        name,
      ).to.deep.equal([1, 1, 1]);
    }
    await close();
  });

  it("is refused without anything to tell", () => {
    expect(thrown(Err, () => new OpenTelemetryTracer({})).code).to.equal("missing_argument");
  });
});
