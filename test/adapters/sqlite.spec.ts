import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { contract } from "../contract/index.ts";

const directory = mkdtempSync(join(tmpdir(), "evenant-contract-"));

contract("sqlite", (now) => new SqliteEventStore({ path: join(directory, "contract.db"), now }));

after(() => rmSync(directory, { recursive: true, force: true }));
