import type { ITracer, Json } from "../core/index.ts";

/** How much a log line matters, in the words that clouds know. */
export type Severity = "INFO" | "WARNING" | "ERROR";

/** Facts of a log line: names and numbers, never a payload, a token or a secret. */
export type LogFacts = Readonly<Record<string, Json | undefined>>;

/** Where log lines go. */
export type Log = (severity: Severity, message: string, facts?: LogFacts) => void;

/** Logs one JSON object a line. */
export function jsonLog(write: (line: string) => void): Log {
  return (severity, message, facts) => {
    write(`${JSON.stringify({ time: new Date().toISOString(), severity, message, ...facts })}\n`);
  };
}

/**
 * An error and its causes as facts, for the operator only.
 *
 * A cause keeps its message only where its author is known to write none of the data into it: Evenant's own, and errors of systems, which
 * have a code. What a parser says quotes what it parsed, and is never kept.
 */
export function errorFacts(error: unknown): Json {
  return factsAt(error, 0);
}

/** How many causes are told: a chain may lead back to where it began. */
const MOST_CAUSES = 8;

function factsAt(error: unknown, depth: number): Json {
  const isCause = depth > 0;
  if (!(error instanceof Error)) return isCause ? { name: typeof error } : { message: String(error) };
  const { name, message, stack = "", cause } = error;
  const { code } = error as { readonly code?: unknown };
  const hasCode = typeof code === "string" || typeof code === "number";
  const isQuoting = error instanceof SyntaxError || (isCause && !hasCode);
  return {
    name,
    ...(hasCode && { code }),
    ...(!isQuoting && { message }),
    stack: isQuoting ? framesOf(stack) : stack,
    ...(cause !== undefined && depth < MOST_CAUSES && { cause: factsAt(cause, depth + 1) }),
  };
}

/** A stack without the message that it begins with. */
function framesOf(stack: string): string {
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .join("\n");
}

/** Logs what fails behind the answers: handlers, polls, stores. */
export function logTracer(log: Log): ITracer {
  return {
    trace: (make) => {
      const { method, error, tenant, ...facts } = make();
      if (method !== "error") return;
      log("ERROR", "a handler or poll failed", { tenant, ...namesIn(facts), error: errorFacts(error) });
    },
  };
}

function namesIn(facts: Readonly<Record<string, unknown>>): LogFacts {
  return Object.fromEntries(
    Object.entries(facts).filter(
      (fact): fact is [string, string | number] => typeof fact[1] === "string" || typeof fact[1] === "number",
    ),
  );
}
