import { expect } from "chai";
import {
  AuthorizationError,
  ConcurrencyError,
  Err,
  type ErrCode,
  IdempotencyError,
  StoreError,
  TenantError,
  type TenantStatus,
  ValidationError,
} from "../../core/index.ts";

const address = { tenant: "acme", type: "accounts", id: "a1" };

const MADE: readonly (readonly [Err, ErrCode, string])[] = [
  [Err.invalidArgument("limit"), "invalid_argument", "invalid argument limit: give a valid value"],
  [Err.invalidArgument("limit", "give 1 to 9"), "invalid_argument", "invalid argument limit: give 1 to 9"],
  [Err.missingArgument("actor"), "missing_argument", "missing argument actor: it is required"],
  [Err.precondition("the shop is closed"), "precondition", "the shop is closed"],
  [Err.notImplemented("A.b"), "not_implemented", "A.b is not implemented: write it, or remove its declaration"],
  [Err.notFound("handler h"), "not_found", "handler h was not found: check its name"],
  [Err.concurrency(address, 1, 3), "concurrency", "accounts/a1 is at version 3, not at the expected 1: load it and decide again"],
  [
    new AuthorizationError("ada", "Pay"),
    "authorization",
    "actor ada may not send Pay: the actor needs a role that the aggregate's access allows",
  ],
  [
    new IdempotencyError("c1"),
    "idempotency",
    "commandId c1 belongs to another command, payload or actor: make a new id for each new command",
  ],
  [new ValidationError("payload.a", "is NaN"), "validation", "payload.a: is NaN"],
  [new ValidationError("", "is too large"), "validation", "is too large"],
  [new StoreError("no disk", { retryable: true }), "store", "no disk"],
  [new Err("integrity", "a hole"), "integrity", "a hole"],
  [new TenantError("acme", "absent"), "tenant", "tenant acme is absent: open it first"],
];

describe("Err", () => {
  for (const [error, code, message] of MADE) {
    it(`${error.name} says: ${message}`, () => {
      expect(error).to.be.instanceOf(Err).and.instanceOf(Error);
      expect([error.code, error.message, error.name]).to.deep.equal([code, message, error.constructor.name]);
      expect(error.stack).to.contain(message);
      expect(Err.is(error)).to.equal(true);
      expect(Err.is(error, code)).to.equal(true);
      for (const [, other] of MADE) if (other !== code) expect(Err.is(error, other), other).to.equal(false);
    });
  }

  it("is no other error, and nothing else", () => {
    for (const other of [new Error("x"), new TypeError("x"), { code: "store" }, "store", undefined, null, 7]) {
      expect(Err.is(other)).to.equal(false);
      expect(Err.is(other, "store")).to.equal(false);
    }
  });

  it("narrows to the class that has the facts of its code", () => {
    const seen: unknown[] = [];
    for (const [error] of MADE as readonly (readonly [unknown, ...unknown[]])[]) {
      if (Err.is(error, "concurrency")) seen.push(error.expected, error.actual, error.address);
      if (Err.is(error, "authorization")) seen.push(error.actorId, error.command);
      if (Err.is(error, "idempotency")) seen.push(error.commandId);
      if (Err.is(error, "validation")) seen.push(error.path);
      if (Err.is(error, "store")) seen.push(error.retryable, error.outcome);
      if (Err.is(error, "tenant")) seen.push(error.tenant, error.status);
      // @ts-expect-error a precondition has no facts but its message
      if (Err.is(error, "precondition")) seen.push(error.expected);
    }
    expect(seen).to.deep.equal([undefined, 1, 3, address, "ada", "Pay", "c1", "payload.a", "", true, "none", "acme", "absent"]);
  });

  it("keeps the cause", () => {
    const cause = new Error("ECONNRESET");
    const error = new StoreError("no answer", { retryable: true, outcome: "unknown", cause });
    expect([error.cause, error.outcome]).to.deep.equal([cause, "unknown"]);
    expect("cause" in new StoreError("no disk", { retryable: false })).to.equal(false);
    expect(new Err("integrity", "a hole", { cause }).cause).to.equal(cause);
  });

  it("tells what to do for each standing of a tenant", () => {
    const advice: Record<TenantStatus, string> = {
      absent: "open it first",
      open: "suspend or erase it first",
      suspended: "open it again first",
      importing: "finish its import first",
      erased: "import it, or open it an hour after its erasure",
    };
    for (const [status, text] of Object.entries(advice) as [TenantStatus, string][]) {
      expect(new TenantError("acme", status).message).to.equal(`tenant acme is ${status}: ${text}`);
    }
  });

  it("makes a ConcurrencyError by its factory", () => {
    const error = Err.concurrency(address, -1, 0);
    expect(error).to.be.instanceOf(ConcurrencyError);
    expect([error.expected, error.actual]).to.deep.equal([-1, 0]);
  });
});
