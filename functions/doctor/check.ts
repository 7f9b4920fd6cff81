/** What a check found: that all is well, or what to do, in one sentence; a warning need not be heeded. */
export type Finding =
  | { readonly status: "ok"; readonly fact?: string }
  | { readonly status: "wrong" | "warning"; readonly advice: string };

/** One thing that a configuration must have. */
export interface Check {
  /** What is true where the check passes, e.g. "the deployed rules are the generated ones". */
  readonly claim: string;
  /** Whether it asks the cloud, and so is left out of `--offline`. */
  readonly asksCloud: boolean;
  /** Looks, and changes nothing. Whatever it throws is a finding too: that it could not be checked. */
  readonly examine: (signal: AbortSignal) => Finding | Promise<Finding>;
}

/** All is well; `fact` says what was found. */
export function ok(fact?: string): Finding {
  return fact === undefined ? { status: "ok" } : { status: "ok", fact };
}

/** Something is wrong, and this is what to do. */
export function wrong(advice: string): Finding {
  return { status: "wrong", advice };
}

/** Something may be wrong, and this is what to do if it is. */
export function warning(advice: string): Finding {
  return { status: "warning", advice };
}
