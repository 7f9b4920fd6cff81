/** Whether a type is any. */
export type IsAny<T> = 0 extends 1 & T ? true : false;
/** Whether two types are the same. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only if its type argument is true. */
export function holds<_Claim extends true>(): void {}

/** Compiled, never run: what matters is which lines are errors. */
export function neverRun(..._claims: readonly (() => unknown)[]): void {}
