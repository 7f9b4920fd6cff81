import { defaultPlatform } from "../../core/index.ts";
import { documentOf } from "./client.ts";
import type { DynamoDbOptions } from "./event-store.ts";
import { SWEEP_KEY } from "./keys.ts";
import { getItem } from "./reads.ts";
import { Budget, type Database } from "./requests.ts";
import { putItem } from "./writes.ts";

/**
 * Keeps in the table where a sweep over all tenants stopped, for the next one to begin there, whichever instance that is. Two at once
 * overwrite each other's place, which costs some tenants a turn and nothing else. Cost: a read unit or a write unit a call.
 */
export function sweepPlace(
  document: Parameters<typeof documentOf>[0],
  { table, commands }: Pick<DynamoDbOptions, "table" | "commands">,
): { read(): Promise<string | undefined>; write(tenant: string): Promise<void> } {
  const database: Database = {
    document: documentOf(document, commands),
    table,
    platform: defaultPlatform,
    stopwatch: () => performance.now(),
  };
  return {
    read: async () => {
      const item = await getItem(new Budget(database), SWEEP_KEY);
      return typeof item?.tenant === "string" ? item.tenant : undefined;
    },
    write: async (tenant) => {
      await putItem(new Budget(database), { ...SWEEP_KEY, tenant });
    },
  };
}
