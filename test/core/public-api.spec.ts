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
      "Doorbell",
      "ERASED_NAME_REST",
      "Err",
      "IdempotencyError",
      "ImportOrder",
      "LIMITS",
      "Projection",
      "StoreError",
      "StreamReader",
      "TenantError",
      "ValidationError",
      "canonicalJson",
      "checkForward",
      "checkId",
      "checkInteger",
      "checkName",
      "commitRecord",
      "decode",
      "defaultPlatform",
      "encode",
      "encodeView",
      "keyOf",
      "redacted",
      "stateOf",
      "threadRecords",
    ]);
  });
});
