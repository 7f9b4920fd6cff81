import { type Cost, type IPlatform, StoreError } from "../../core/index.ts";
import { fullJitter } from "../../core/store-kit.ts";
import type { Capacity, Conditional, IDocument, Item, SendOptions } from "./client.ts";
import { failureOf } from "./failures.ts";

/** How long one call of the port may take in all, in ms: an HTTP request of 10 s has time left to answer. */
const DEADLINE = 8_000;
/** How long one request may take before it is sent again, in ms: a lost reply then leaves time to learn the truth. */
const REQUEST_TIME = 2_500;
/** The most that the first pause after a failure takes, in ms, and that any does. */
const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 800;

/** One table, through one client. */
export interface Database {
  readonly document: IDocument;
  readonly table: string;
  readonly platform: IPlatform;
  /** Milliseconds since any moment, never set back: for deadlines. Undefined = there are none, for a test decides which requests are lost. */
  readonly stopwatch: (() => number) | undefined;
}

/** A condition or an update: an expression with `#name` for attributes and `:name` for the values. */
export interface Expression {
  readonly expression: string;
  readonly values?: Readonly<Record<string, unknown>>;
}

/** The requests of one call of the port: they share a deadline and add up their cost. */
export class Budget {
  readonly database: Database;
  readonly #end: number;
  #reads = 0;
  #writes = 0;

  constructor(database: Database) {
    this.database = database;
    this.#end = this.#elapsed() + DEADLINE;
  }

  /** Capacity units so far. */
  get cost(): Cost {
    return { reads: this.#reads, writes: this.#writes };
  }

  addReads(capacity: Capacity | readonly Capacity[] | undefined): void {
    this.#reads += unitsOf(capacity);
  }

  addWrites(capacity: Capacity | readonly Capacity[] | undefined): void {
    this.#writes += unitsOf(capacity);
  }

  /** Whether there is time for another request. */
  get hasTime(): boolean {
    return this.#elapsed() < this.#end;
  }

  /**
   * Sends a request, and sends the identical one again after a failure that may pass, until the deadline.
   *
   * Errors that refuse a condition go through. Everything that is sent must therefore be safe to carry out twice.
   * @throws {StoreError} whose outcome is `unknown` where a write may have landed or may still land.
   */
  async send<T>(isWrite: boolean, request: (document: IDocument, options: SendOptions) => Promise<T>): Promise<T> {
    let outcome: "none" | "unknown" = "none";
    for (let tries = 0; ; tries++) {
      try {
        return await request(this.database.document, this.#options());
      } catch (cause) {
        const failure = failureOf(cause);
        if (failure === "refused") throw cause;
        if (failure === "unknown" && isWrite) outcome = "unknown";
        if (failure === "hopeless") throw storeError(this.#refusal(cause), { retryable: false, outcome, cause });
        if (!(await this.pause(tries))) throw storeError("DynamoDB did not answer in time", { retryable: true, outcome, cause });
      }
    }
  }

  /** Waits a random time that doubles with each try; false at once where the deadline would pass. */
  async pause(tries: number): Promise<boolean> {
    const { platform } = this.database;
    const pause = fullJitter(tries, FIRST_PAUSE, LONGEST_PAUSE, platform.random);
    if (this.#elapsed() + pause >= this.#end) return false;
    await platform.sleep(pause);
    return true;
  }

  /** Waits before the rest of a batch is sent again. @throws {StoreError} at the deadline. */
  async pauseOrThrow(tries: number): Promise<void> {
    if (await this.pause(tries)) return;
    throw storeError("DynamoDB left a batch unfinished", { retryable: true, outcome: "unknown", cause: undefined });
  }

  #refusal(cause: unknown): string {
    if ((cause as { readonly name?: string }).name !== "ResourceNotFoundException") return "DynamoDB refused a request";
    return `the table ${this.database.table} is not there: create it, or correct its name or the client's region`;
  }

  #elapsed(): number {
    return this.database.stopwatch?.() ?? 0;
  }

  #options(): SendOptions {
    if (this.database.stopwatch === undefined) return {};
    const left = Math.max(1, this.#end - this.#elapsed());
    return { abortSignal: AbortSignal.timeout(Math.ceil(Math.min(REQUEST_TIME, left))) };
  }
}

/** Spells a condition as the SDK takes it; a refusal then tells the item that was found. */
export function conditional(condition: Expression | undefined): Conditional {
  if (condition === undefined) return {};
  return {
    ConditionExpression: condition.expression,
    ...attributes(condition.expression, condition.values),
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  };
}

/** The names (each `#name` stands for the attribute `name`) and values of an expression. */
export function attributes(expression: string, values: Readonly<Record<string, unknown>> | undefined): Conditional {
  const names = namesIn(expression);
  return {
    ...(names !== undefined && { ExpressionAttributeNames: names }),
    ...(values !== undefined && Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  };
}

/** By expression; there are a few dozen. */
const knownNames = new Map<string, Record<string, string> | undefined>();

function namesIn(expression: string): Record<string, string> | undefined {
  if (knownNames.has(expression)) return knownNames.get(expression);
  const names = Object.fromEntries(Array.from(expression.matchAll(/#(\w+)/g), ([spelled, name]) => [spelled, name as string]));
  const found = Object.keys(names).length > 0 ? names : undefined;
  knownNames.set(expression, found);
  return found;
}

/** A text attribute; fails where the table holds something else, which nobody but another program can have written. */
export function textIn(item: Item, name: string): string {
  const value = item[name];
  if (typeof value === "string") return value;
  throw storeError(`an item has no text ${name}`, { retryable: false, outcome: "none", cause: undefined });
}

/** A number attribute. */
export function numberIn(item: Item, name: string): number {
  const value = item[name];
  if (typeof value === "number") return value;
  throw storeError(`an item has no number ${name}`, { retryable: false, outcome: "none", cause: undefined });
}

function storeError(what: string, facts: { retryable: boolean; outcome: "none" | "unknown"; cause: unknown }): StoreError {
  const { name, message } = (facts.cause ?? {}) as { readonly name?: string; readonly message?: string };
  return new StoreError(name === undefined ? what : `${what}: ${name}: ${message ?? ""}`, facts);
}

function unitsOf(capacity: Capacity | readonly Capacity[] | undefined): number {
  if (capacity === undefined) return 0;
  if ("length" in capacity) return capacity.reduce((sum, { CapacityUnits: units = 0 }) => sum + (units ?? 0), 0);
  return capacity.CapacityUnits ?? 0;
}
