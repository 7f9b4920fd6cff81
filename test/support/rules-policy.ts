import type { PolicyDocument, PolicyStatement } from "../../rules/iam-policy.ts";

/** What IAM is asked about one request: the context keys of the request, and the tags of the session that sends it. */
export interface PolicyRequest {
  readonly action: string;
  readonly resource: string;
  /** Condition keys -> values; a key that is absent is not in the request. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

type Context = PolicyRequest["context"];
type Test = (pattern: string, value: string) => boolean;

/**
 * Whether a policy allows a request, as IAM evaluates it: a statement that denies wins, and what no statement allows is denied.
 *
 * What a variable stands for counts as a pattern here, wildcards included: the worst that could be. @throws {Error} for an operator it does not know.
 */
export function allows({ Statement }: PolicyDocument, request: PolicyRequest): boolean {
  const applying = Statement.filter((statement) => applies(statement, request));
  return applying.some(({ Effect }) => Effect === "Allow") && !applying.some(({ Effect }) => Effect === "Deny");
}

function applies({ Action, Resource, Condition = {} }: PolicyStatement, { action, resource, context }: PolicyRequest): boolean {
  return (
    Action.some((pattern) => isLike(pattern.toLowerCase(), action.toLowerCase())) &&
    Resource.some((pattern) => isLike(pattern, resource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, patterns]) => holds(operator, key, patterns, context)),
    )
  );
}

function holds(operator: string, key: string, patterns: readonly string[], context: Context): boolean {
  const values = context[key];
  const filled = patterns.map((pattern) => fillIn(pattern, context));
  // A variable without a value makes the condition fail.
  if (filled.includes(undefined)) return false;
  const matches = (test: Test) => (value: string) => filled.some((pattern) => test(pattern ?? "", value));
  switch (operator) {
    case "Null":
      return filled.includes(String(values === undefined));
    case "StringEquals":
      return values?.some(matches((pattern, value) => pattern === value)) ?? false;
    case "StringLike":
      return values?.some(matches(isLike)) ?? false;
    case "StringNotLike":
      return !(values ?? []).some(matches(isLike));
    case "ForAllValues:StringLike":
      return (values ?? []).every(matches(isLike));
    default:
      throw new Error(`the evaluator does not know ${operator}`);
  }
}

/** Marks that stand for the letters `*` and `?` themselves, while a pattern is filled in. */
const LETTERS: Readonly<Record<string, string>> = { "*": "\u0001", "?": "\u0002" };

function fillIn(pattern: string, context: Context): string | undefined {
  let isKnown = true;
  const filled = pattern.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
    const value = LETTERS[name] ?? context[name]?.[0];
    if (value === undefined) isKnown = false;
    return value ?? "";
  });
  return isKnown ? filled : undefined;
}

function isLike(pattern: string, value: string): boolean {
  const letters = Array.from(pattern, (letter) => {
    if (letter === "*") return ".*";
    if (letter === "?") return ".";
    const literal = Object.entries(LETTERS).find(([, mark]) => mark === letter)?.[0] ?? letter;
    return literal.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  });
  return new RegExp(`^${letters.join("")}$`, "su").test(value);
}
