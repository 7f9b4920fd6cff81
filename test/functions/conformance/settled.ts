import type { Answer } from "../../support/functions-backend.ts";

/** Headers that belong to a connection, a moment or a server's own way of sending, not to the answer. */
const OF_THE_CONNECTION = ["connection", "content-length", "date", "keep-alive", "transfer-encoding"];

/** What is made anew in every run, by the name of the member that holds it. */
const MADE_ANEW: Readonly<Record<string, RegExp>> = {
  commitId: /^[\w-]{21}$/,
  requestId: /^[\w-]{21}$/,
};
const GENERATED_ID = /^[\w-]{21}$/;

/** A body with placeholders for what differs from run to run; what only looks as if it did stays as it is. */
export function settled(value: unknown, name = ""): unknown {
  if (typeof value === "string") {
    if (MADE_ANEW[name]?.test(value)) return `<${name}>`;
    return (name === "aggregateId" || name === "id") && GENERATED_ID.test(value) ? "<id>" : value;
  }
  if (typeof value === "number") {
    if (name === "at" && value > 1_600_000_000_000) return "<at>";
    return name === "position" && value > 0 && value < 1_000_000 ? "<position>" : value;
  }
  if (Array.isArray(value)) return value.map((item) => settled(item));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, settled(item, key)]));
  return isPageOfLog(value) ? { ...members, next: "<next>" } : members;
}

/** A page of the tenant's log goes on at a position, one of a history at a version. */
function isPageOfLog(value: object): boolean {
  if (!("commits" in value) || !("next" in value) || !Array.isArray(value.commits)) return false;
  return value.commits.every((commit) => "position" in commit);
}

/** Everything in which the answers of two hosts must be equal. */
export function comparable({ status, headers, body }: Answer): object {
  const kept = [...headers].filter(([name]) => !OF_THE_CONNECTION.includes(name));
  return { status, headers: Object.fromEntries(kept), body: settled(body) };
}
