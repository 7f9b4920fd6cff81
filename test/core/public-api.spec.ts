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
      "decode",
      "fullJitter",
      "redacted",
      "threadRecords",
    ]);
  });

  it("shows the stores through doors of one class each", async () => {
    expect(Object.keys(await import("../../adapters/memory/index.ts"))).to.deep.equal(["MemoryEventStore"]);
    expect(Object.keys(await import("../../adapters/sqlite/index.ts"))).to.deep.equal(["SqliteEventStore"]);
  });
});
