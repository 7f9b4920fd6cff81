import type { Address } from "./address.ts";

/** Every reason for which Evenant refuses or fails; a closed union, so that a `switch` over it is complete. */
export type ErrCode =
  | "missing_argument"
  | "invalid_argument"
  | "validation"
  | "authorization"
  | "precondition"
  | "concurrency"
  | "idempotency"
  | "tenant"
  | "not_found"
  | "not_implemented"
  | "integrity"
  | "outdated"
  | "store";

/** The subclass that carries the facts of each code. */
interface ErrByCode {
  readonly validation: ValidationError;
  readonly authorization: AuthorizationError;
  readonly concurrency: ConcurrencyError;
  readonly idempotency: IdempotencyError;
  readonly tenant: TenantError;
  readonly store: StoreError;
}

type ErrOf<C extends ErrCode> = C extends keyof ErrByCode ? ErrByCode[C] : Err;

/** The base of every error that Evenant throws: a code for programs, a sentence for people that says what to do. */
export class Err extends Error {
  readonly code: ErrCode;

  /** `facts` become fields of the error, as its class declares them. */
  constructor(code: ErrCode, message: string, facts: { readonly cause?: unknown; readonly [fact: string]: unknown } = {}) {
    super(message, facts);
    Object.assign(this, facts);
    this.code = code;
    this.name = new.target.name;
  }

  /** Tells whether `error` is an Evenant error, and of this code where one is given; narrows to the class with its facts. */
  static is<C extends ErrCode>(error: unknown, code?: C): error is ErrOf<C> {
    return error instanceof Err && (code === undefined || error.code === code);
  }

  /** An argument is there but wrong; `expected` says what would be right. */
  static invalidArgument(name: string, expected = "give a valid value"): Err {
    return new Err("invalid_argument", `invalid argument ${name}: ${expected}`);
  }

  /** No class that the handler was made with has this command: `unknownCommand` tells it from a command's own wrong argument. */
  static unknownCommand(name: string): Err {
    const message = `invalid argument command: no aggregate has a command named ${name}: check the name`;
    return new Err("invalid_argument", message, { unknownCommand: name });
  }

  /** A required argument is absent. */
  static missingArgument(name: string): Err {
    return new Err("missing_argument", `missing argument ${name}: it is required`);
  }

  /** The aggregate is not at the version that the caller expected. */
  static concurrency(address: Address, expected: number, actual: number): ConcurrencyError {
    return new ConcurrencyError(address, expected, actual);
  }

  /** The command is not possible in this state; the message is the domain's own and is kept as it is. */
  static precondition(message: string): Err {
    return new Err("precondition", message);
  }

  /** Something that was declared has no code behind it. */
  static notImplemented(name: string): Err {
    return new Err("not_implemented", `${name} is not implemented: write it, or remove its declaration`);
  }

  /** A projection is of another version than its views: rebuild them. */
  static outdated(projection: string, version: number, viewsVersion: number): Err {
    return new Err(
      "outdated",
      `projection ${projection} has version ${version}, but its views have version ${viewsVersion}: rebuild them, or use the code of that version`,
      { projection, version, viewsVersion },
    );
  }

  /** What was asked for does not exist; `advice` says what to do. */
  static notFound(name: string, advice = "check its name"): Err {
    return new Err("not_found", `${name} was not found: ${advice}`);
  }
}

/** A value breaks the rules of the codec, of a schema or of a limit; `path` says where; `""` = the whole value. */
export class ValidationError extends Err {
  declare readonly path: string;

  constructor(path: string, reason: string) {
    super("validation", path === "" ? reason : `${path}: ${reason}`, { path });
  }
}

/** The actor may not send this command; nothing was written. */
export class AuthorizationError extends Err {
  declare readonly actorId: string;
  declare readonly command: string;

  constructor(actorId: string, command: string) {
    super(
      "authorization",
      `actor ${actorId} may not send ${command}: the actor needs a role that the aggregate's access allows`,
      {
        actorId,
        command,
      },
    );
  }
}

/** The aggregate is at version `actual`, not at `expected` (-1 = it has no commit yet): load it, decide again, resend. */
export class ConcurrencyError extends Err {
  declare readonly address: Address;
  declare readonly expected: number;
  declare readonly actual: number;

  constructor(address: Address, expected: number, actual: number) {
    super(
      "concurrency",
      `${address.type}/${address.id} is at version ${actual}, not at the expected ${expected}: load it and decide again`,
      { address, expected, actual },
    );
  }
}

/** The commandId was used before by another actor, or for another command or payload. */
export class IdempotencyError extends Err {
  declare readonly commandId: string;

  constructor(commandId: string) {
    super(
      "idempotency",
      `commandId ${commandId} belongs to another command, payload or actor: make a new id for each new command`,
      { commandId },
    );
  }
}

/** A tenant's status: `absent` was never opened, `importing` is being filled, `erased` is gone for good. */
export type TenantStatus = "absent" | "open" | "suspended" | "importing" | "erased";

const TENANT_ADVICE: Record<TenantStatus, string> = {
  absent: "open it first",
  open: "suspend or erase it first",
  suspended: "open it again first",
  importing: "finish its import first",
  erased: "import it, or open it an hour after its erasure",
};

/** The tenant is not in a state in which this is possible; nothing was written. */
export class TenantError extends Err {
  declare readonly tenant: string;
  declare readonly status: TenantStatus;

  constructor(tenant: string, status: TenantStatus, advice = TENANT_ADVICE[status]) {
    super("tenant", `tenant ${tenant} is ${status}: ${advice}`, { tenant, status });
  }

  /** An import found that the tenant has events of its own. */
  static inUse(tenant: string, status: TenantStatus): TenantError {
    return new TenantError(tenant, status, "erase it before the import, or import under another name");
  }
}

/** What a store failure did to the write: `none` = surely nothing was written, `unknown` = it may have been written. */
export type StoreFailure = "none" | "unknown";

/**
 * The store failed; never used for a version clash.
 *
 * With `outcome: "unknown"` the write may have landed or may still land: resend with the same commandId.
 */
export class StoreError extends Err {
  declare readonly retryable: boolean;
  declare readonly outcome: StoreFailure;

  constructor(
    message: string,
    facts: {
      readonly retryable: boolean;
      readonly outcome?: StoreFailure;
      readonly cause?: unknown;
    },
  ) {
    super("store", message, { outcome: "none", ...facts });
  }
}
