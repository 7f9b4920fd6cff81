/** The rows that one command writes, for the baseline that writes nothing else. */
export interface RowShape {
  tables: string;
  inserts: readonly { sql: string; values(aggregateId: string, version: number, position: number): (string | number)[] }[];
}

/** What `adapters/sqlite` writes for a command: its commit's row, and the aggregate's row with version and snapshot. */
export const rowShape: RowShape = {
  tables: `
    CREATE TABLE aggregates (
      no INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
      snapshot_version INTEGER, snapshot_schema INTEGER, snapshot TEXT,
      UNIQUE (tenant, type, id)
    ) STRICT;
    CREATE TABLE commits (
      tenant INTEGER NOT NULL, position INTEGER NOT NULL, aggregate INTEGER NOT NULL, version INTEGER NOT NULL, command_id TEXT, data TEXT NOT NULL,
      PRIMARY KEY (tenant, position)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX commits_by_version ON commits (aggregate, version);
    CREATE UNIQUE INDEX commits_by_command ON commits (tenant, command_id) WHERE command_id IS NOT NULL;`,
  inserts: [
    {
      sql: `INSERT INTO aggregates VALUES (?, 1, 'calculators', ?, ?, ?, 0, ?) ON CONFLICT (tenant, type, id)
        DO UPDATE SET version = excluded.version, snapshot_version = excluded.snapshot_version, snapshot = excluded.snapshot`,
      values: (aggregateId, version) => [
        numberOf(aggregateId),
        aggregateId,
        version,
        version,
        JSON.stringify({ sum: 3 * (version + 1) }),
      ],
    },
    {
      sql: "INSERT INTO commits VALUES (1, ?, ?, ?, NULL, ?)",
      values: (aggregateId, version, position) => [position, numberOf(aggregateId), version, body],
    },
  ],
};

const body = JSON.stringify({
  actor: { id: "user1", name: "actor 1" },
  at: 1_767_225_600_000,
  command: "AddNumbers",
  commitId: "V1StGXR8_Z5jdHi6B-myT",
  events: [{ name: "NumbersAdded", payload: { number1: 1, number2: 2 }, schemaVersion: 0 }],
});

function numberOf(aggregateId: string): number {
  return 1 + Number(aggregateId.replace(/\D/g, ""));
}
