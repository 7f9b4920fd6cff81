import type { AccessEntry } from "./access-matrix.ts";
import { LIST_LIMIT } from "./firestore-rules.ts";
import { operatorPolicy, tenantPolicy } from "./iam-policy.ts";

/** What no client ever reads, and why it is there. */
const PRIVATE = [
  ["tenants/{tenant}", "the registry of tenants"],
  ["tenants/{tenant}/events/{commit}", "every payload of everybody"],
  ["tenants/{tenant}/log/{page}", "the order of commits"],
  ["tenants/{tenant}/receipts/{commandId}", "who sent which command"],
  ["tenants/{tenant}/threads/{thread}", "leases and cursors"],
  ["tenants/{tenant}/parked/{event}", "events that failed"],
  ["tenants/{tenant}/views/{collection}", "who owns a collection"],
] as const;

/** A table that stands for the real one in the printed policies. */
const EXAMPLE_TABLE = "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE";

/** Makes the access matrix as a table for people. */
export function matrixTable(matrix: readonly AccessEntry[]): string {
  const rows = [
    ...matrix.map(({ path, readers, declaredBy }) => row(path, reading(readers), declaredBy)),
    ...PRIVATE.map(([path, what]) => row(path, "nobody", what)),
    row("anything else", "nobody", "deny by absence"),
  ];
  return [`| documents | get, and list up to ${LIST_LIMIT} | declared by, or what it is |`, "|---|---|---|", ...rows].join("\n");
}

/** Puts the matrix and the policies between their marks in a page. @throws {Error} for a page without the marks. */
export function filledPage(page: string, matrix: readonly AccessEntry[]): string {
  const parts = {
    matrix: matrixTable(matrix),
    "tenant policy": json(tenantPolicy(EXAMPLE_TABLE)),
    "operator policy": json(operatorPolicy(EXAMPLE_TABLE)),
  };
  return Object.entries(parts).reduce((filled, [name, text]) => fill(filled, name, text), page);
}

function fill(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: made by npm run rules -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no place for the ${name}: put back ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

function row(path: string, readers: string, what: string): string {
  return `| \`${path}\` | ${readers} | ${what} |`;
}

function reading(readers: AccessEntry["readers"]): string {
  if (readers === undefined) return "nobody";
  return readers === "tenant" ? "every member" : `members with ${readers.map((role) => `\`${role}\``).join(" or ")}`;
}

function json(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, undefined, 2)}\n\`\`\``;
}
