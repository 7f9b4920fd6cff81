import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { DynamoDbTable } from "./dynamodb-store.ts";

/** A command that a process says is carried out. */
export interface Carried {
  readonly commitId: string;
  readonly id: string;
  readonly version: number;
  /** How long it took, in ms. */
  readonly took: number;
}

/** How a process that is to die comes to its end: before its commit is sent, or right after. */
export type End = "early" | "late";

/** Runs a process that sends `count` commands, and gives what it carried out; undefined as its exit code means that it was killed. */
export async function runSender(
  { endpoint, table }: DynamoDbTable,
  tenant: string,
  name: string,
  count: number,
  end?: End,
): Promise<{ readonly carried: readonly Carried[]; readonly code: number | undefined }> {
  const script = fileURLToPath(new URL("dynamodb-sender.ts", import.meta.url));
  const facts = [endpoint, table, tenant, name, String(count), end ?? ""];
  const child = spawn(process.execPath, [...process.execArgv, script, ...facts], { stdio: ["ignore", "pipe", "inherit"] });
  const carried: Carried[] = [];
  const lines = createInterface({ input: child.stdout! });
  lines.on("line", (line) => {
    const [commitId = "", id = "", version, took] = line.split(" ");
    if (took !== undefined && took !== "") carried.push({ commitId, id, version: Number(version), took: Number(took) });
  });
  const [[code]] = await Promise.all([once(child, "exit"), once(lines, "close")]);
  return { carried, code: (code as number | null) ?? undefined };
}
