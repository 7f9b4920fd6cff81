import { type Actor, type AggregateClass, ConcurrencyError, checkInteger, Err } from "../core/index.ts";
import { typeOf } from "../core/model/aggregate.ts";
import { aggregateAnswer } from "./answers.ts";
import type { Service } from "./composition.ts";
import { stateTag } from "./etag.ts";
import { factsOf, Refusal } from "./problem.ts";
import { checkMayReadState } from "./read-access.ts";

/** One strong tag, as `stateTag` spells it, or of a version alone. */
const TAG = /^"(0|[1-9]\d{0,15})(-[0-9a-f]{12})?"$/;

/** What the headers of a command expect of its aggregate. */
export interface Expectation {
  /** -1 = it is not there yet. */
  readonly version: number;
  /** The whole tag, where it names a state beside the version. */
  readonly tag: string | undefined;
}

/**
 * What the headers of a command expect: `If-Match` with an aggregate's ETag, or with a version alone (`"3"`), or `If-None-Match: *`;
 * undefined where there is neither.
 *
 * @throws {Err} `invalid_argument` for anything else in them, and where both are given.
 */
export function expectationIn(headers: Headers): Expectation | undefined {
  const match = headers.get("if-match");
  const noneMatch = headers.get("if-none-match");
  if (match !== null && noneMatch !== null) throw Err.invalidArgument("If-Match", "give either If-Match or If-None-Match");
  if (noneMatch !== null) {
    if (noneMatch.trim() === "*") return { version: -1, tag: undefined };
    throw Err.invalidArgument("If-None-Match", "a command takes * only, for an aggregate that must not exist yet");
  }
  if (match === null) return undefined;
  const [tag, digits, digest] = TAG.exec(match.trim()) ?? [];
  if (digits !== undefined)
    return { version: checkInteger(Number(digits), "If-Match", 0), tag: digest === undefined ? undefined : tag };
  throw Err.invalidArgument(
    "If-Match",
    'give the one ETag that the aggregate was answered with, or a version such as "3": not *, weak, or several',
  );
}

/**
 * Refuses an expected tag whose version is the aggregate's now, but whose state is not; another version is for the handler to judge,
 * which knows what was stored already. One read, where a tag names a state.
 *
 * @throws {Refusal} `concurrency` (412); to whoever may not read the state `authorization` instead, which tells nothing of it.
 */
export async function checkState(
  service: Service,
  actor: Actor,
  Type: AggregateClass,
  id: unknown,
  expected: Expectation | undefined,
): Promise<void> {
  if (expected?.tag === undefined || typeof id !== "string") return;
  const aggregate = await service.handler.load(actor, Type, id);
  if (aggregate?.aggregateVersion !== expected.version) return;
  const { version, state } = aggregateAnswer(aggregate);
  if ((await stateTag(version, state, service.digest)) === expected.tag) return;
  await checkMayReadState(service, actor, Type, id);
  throw new Refusal("concurrency", "the aggregate is at that version, but in another state: load it, and decide again", {
    status: 412,
    facts: { aggregateType: typeOf(Type), aggregateId: id, expected: version, actual: version },
  });
}

/** The body's data with the version of the headers. @throws {Err} `invalid_argument` where the body expects another one. */
export function withVersion(data: Record<string, unknown>, version: number | undefined): Record<string, unknown> {
  if (version === undefined || data.expectedVersion === version) return data;
  if (data.expectedVersion === undefined) return { ...data, expectedVersion: version };
  throw Err.invalidArgument("expectedVersion", "the headers If-Match and If-None-Match expect another version: give only one");
}

/** Turns a conflict with the version of the headers into their own status, 412; anything else stays as it is. */
export function asFailedPrecondition(error: unknown, version: number | undefined, aggregateId: unknown): unknown {
  const isTheirs =
    error instanceof ConcurrencyError && error.expected === version && error.address.id === aggregateId && version !== undefined;
  return isTheirs ? new Refusal("concurrency", error.message, { status: 412, facts: factsOf(error) }) : error;
}
