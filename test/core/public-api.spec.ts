import { expect } from "chai";

describe("The public API", () => {
  it("is this list of values: whoever changes it tells so in the changelog", async () => {
    const core = await import("../../core/index.ts");
    expect(Object.keys(core).sort()).to.deep.equal([
      "Actor",
      "Aggregate",
      "AuthorizationError",
      "CommandHandler",
      "ConcurrencyError",
      "ERASED_NAME_REST",
      "Err",
      "IdempotencyError",
      "LIMITS",
      "Projection",
      "StoreError",
      "StreamReader",
      "TenantError",
      "ValidationError",
      "canonicalJson",
      "checkId",
      "checkInteger",
      "checkName",
      "defaultPlatform",
      "encode",
      "encodeView",
      "keyOf",
      "stateOf",
    ]);
  });

  it("has a second door for adapters, with this list", async () => {
    const kit = await import("../../core/store-kit.ts");
    expect(Object.keys(kit).sort()).to.deep.equal([
      "Doorbell",
      "ImportOrder",
      "checkForward",
      "commitRecord",
      "cursorsAfter",
      "decode",
      "fullJitter",
      "importedCursor",
      "redacted",
      "threadRecords",
    ]);
  });

  it("has a third door for servers of event streams, with this list", async () => {
    expect(Object.keys(await import("../../core/stream-kit.ts"))).to.deep.equal(["placeOf", "viewsConcerned"]);
  });

  it("shows the stores through doors of one class each", async () => {
    expect(Object.keys(await import("../../adapters/memory/index.ts"))).to.deep.equal(["MemoryEventStore"]);
    expect(Object.keys(await import("../../adapters/sqlite/index.ts"))).to.deep.equal(["SqliteEventStore"]);
  });

  it("shows OpenTelemetry's tracer through a door of its own", async () => {
    expect(Object.keys(await import("../../adapters/opentelemetry/index.ts"))).to.deep.equal(["OpenTelemetryTracer"]);
  });

  it("shows reactions through a door of their own", async () => {
    expect(Object.keys(await import("../../core/reactions.ts")).sort()).to.deep.equal([
      "Deadlines",
      "REACTOR",
      "Reaction",
      "ScheduledCommand",
    ]);
  });

  it("shows publishing and its brokers through doors of their own", async () => {
    expect(Object.keys(await import("../../core/publishing.ts"))).to.deep.equal(["EventPublisher"]);
    expect(Object.keys(await import("../../adapters/kafka/index.ts"))).to.deep.equal(["KafkaPublisher"]);
    expect(Object.keys(await import("../../adapters/pubsub/index.ts"))).to.deep.equal(["PubSubPublisher"]);
    expect(Object.keys(await import("../../adapters/eventbridge/index.ts"))).to.deep.equal(["EventBridgePublisher"]);
    expect(Object.keys(await import("../../adapters/sns/index.ts"))).to.deep.equal(["SnsPublisher"]);
    expect(Object.keys(await import("../../adapters/webhook/index.ts")).sort()).to.deep.equal([
      "WebhookPublisher",
      "isPublicAddress",
    ]);
  });
});
