import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Declares a temporary folder for a suite, removed at its end; returns what makes the path of a file in it that nobody used before. */
export function temporaryFolder(): (name?: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "evenant-sqlite-"));
  let count = 0;
  after(() => rmSync(folder, { recursive: true, force: true }));
  return (name = "store.db") => {
    count += 1;
    return join(folder, `${count}-${name}`);
  };
}
