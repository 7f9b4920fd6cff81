import { AssertionError } from "chai";

/** Awaits a rejection of this class and returns the error, so that its fields can be asserted; anything else fails the test. */
export async function rejects<E extends Error>(
  ErrorClass: abstract new (...parameters: never[]) => E,
  promise: Promise<unknown>,
): Promise<E> {
  const outcome = await promise.then(
    (value: unknown) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!("error" in outcome)) throw new AssertionError(`expected ${ErrorClass.name}, but it resolved to ${show(outcome.value)}`);
  if (outcome.error instanceof ErrorClass) return outcome.error;
  throw new AssertionError(`expected ${ErrorClass.name}, but it rejected with ${String(outcome.error)}`, undefined, undefined);
}

function show(value: unknown): string {
  return value === undefined ? "undefined" : JSON.stringify(value);
}
