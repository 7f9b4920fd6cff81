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

/** An error and its causes as facts, for the operator only. */
export function errorFacts(error: unknown): Json {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  return { name, message, stack: stack ?? "", ...(cause !== undefined && { cause: errorFacts(cause) }) };
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
