import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Beside the sources and not in the system's temporary folder, which may be held in memory: a sync to disk must cost what it costs.
const data = fileURLToPath(new URL(".data/", import.meta.url));

/** Runs `use` with the path of a new database file, whose folder is removed afterwards. */
export async function withDatabaseFile<T>(use: (path: string) => Promise<T>): Promise<T> {
  await mkdir(data, { recursive: true });
  const folder = await mkdtemp(data);
  try {
    return await use(join(folder, "events.db"));
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
