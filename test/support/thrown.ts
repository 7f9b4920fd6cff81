import { AssertionError } from "chai";

/** Calls a function that must throw this class and returns the error, so that its fields can be asserted; anything else fails the test. */
export function thrown<E extends Error>(ErrorClass: abstract new (...parameters: never[]) => E, act: () => unknown): E {
  try {
    act();
  } catch (error) {
    if (error instanceof ErrorClass) return error;
    throw new AssertionError(`expected ${ErrorClass.name}, but it threw ${String(error)}`);
  }
  throw new AssertionError(`expected ${ErrorClass.name}, but nothing was thrown`);
}
