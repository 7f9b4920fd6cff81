import { DatabaseSync } from "node:sqlite";
import type { Contender, Engine } from "../contender.ts";
import { rowShape } from "../row-shape.ts";

interface Waiting {
  aggregateId: string;
  written(): void;
}

/** The physical limit: the rows of the commands that wait, in one transaction, and nothing else. */
async function open(path: string): Promise<Engine> {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  database.exec(rowShape.tables);
  const inserts = rowShape.inserts.map(({ sql, values }) => ({ statement: database.prepare(sql), values }));
  const versions = new Map<string, number>();
  let position = 0;
  let waiting: Waiting[] = [];

  const write = (): void => {
    const group = waiting;
    waiting = [];
    database.exec("BEGIN IMMEDIATE");
    for (const { aggregateId } of group) {
      const version = (versions.get(aggregateId) ?? -1) + 1;
      versions.set(aggregateId, version);
      position++;
      for (const { statement, values } of inserts) statement.run(...values(aggregateId, version, position));
    }
    database.exec("COMMIT");
    for (const { written } of group) written();
  };
  const command = (aggregateId: string): Promise<void> =>
    new Promise((written) => {
      if (waiting.length === 0) setImmediate(write);
      waiting.push({ aggregateId, written });
    });

  return {
    command,
    sum: async (aggregateId) => 3 * ((versions.get(aggregateId) ?? -1) + 1),
    seed: async (aggregateId, events) => {
      for (let i = 0; i < events; i++) await command(aggregateId);
    },
    close: async () => database.close(),
  };
}

export const contender: Contender = {
  kind: "baseline",
  packages: [],
  notes: { "sqlite-32": "node:sqlite, the same rows in transactions of 32, no reads, no checks" },
  sqlite: open,
};
