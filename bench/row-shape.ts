/** The rows that one command writes, for the baseline that inserts nothing else. */
export interface RowShape {
  tables: string;
  inserts: readonly { sql: string; values(aggregateId: string, version: number, position: number): (string | number)[] }[];
}

/** One commit with its event, and the aggregate's snapshot. */
export const rowShape: RowShape = {
  tables: `
    CREATE TABLE commits (
      tenant TEXT NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
      PRIMARY KEY (tenant, position), UNIQUE (tenant, type, id, version)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE snapshots (
      tenant TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
      PRIMARY KEY (tenant, type, id)
    ) STRICT, WITHOUT ROWID;`,
  inserts: [
    {
      sql: "INSERT INTO commits VALUES ('tenant1', ?, '/calculators', ?, ?, ?)",
      values: (aggregateId, version, position) => [position, aggregateId, version, body],
    },
    {
      sql: "INSERT OR REPLACE INTO snapshots VALUES ('tenant1', '/calculators', ?, ?, ?)",
      values: (aggregateId, version) => [aggregateId, version, `{"sum":${3 * (version + 1)}}`],
    },
  ],
};

const body = JSON.stringify({
  commitId: "V1StGXR8_Z5jdHi6B-myT",
  at: "2026-01-01T00:00:00.000Z",
  actor: { id: "user1", name: "actor 1" },
  command: "AddNumbers",
  events: [{ name: "NumbersAdded", payload: { number1: 1, number2: 2 }, schemaVersion: 0 }],
});
