import type { Client, Query } from "./client.ts";
import type { TenantRow } from "./registry.ts";

/** How many rows one step deletes: other tenants wait for a step, not for the whole. */
const STEP = 256;

/** Deletes all rows of a tenant but its registry entry, step by step. */
export class Sweep {
  readonly #commits: Query<never>;
  readonly #others: readonly Query<never>[];

  constructor(client: Client) {
    this.#commits = client.query(
      `DELETE FROM commits WHERE tenant = ? AND position IN (SELECT position FROM commits WHERE tenant = ? LIMIT ${STEP})`,
    );
    this.#others = [
      client.query(`DELETE FROM aggregates WHERE no IN (SELECT no FROM aggregates WHERE tenant = ? LIMIT ${STEP})`),
      client.query(
        `DELETE FROM views WHERE (tenant, collection, id) IN (SELECT tenant, collection, id FROM views WHERE tenant = ? LIMIT ${STEP})`,
      ),
      client.query(
        `DELETE FROM parked WHERE (tenant, thread, handler, position, place) IN
        (SELECT tenant, thread, handler, position, place FROM parked WHERE tenant = ? LIMIT ${STEP})`,
      ),
      client.query("DELETE FROM threads WHERE tenant = ?"),
      client.query("DELETE FROM collections WHERE tenant = ?"),
    ];
  }

  /** Deletes up to 256 rows inside a transaction; tells whether some may be left. */
  step({ no }: TenantRow): boolean {
    // Commits before the aggregates whose numbers they carry: a number is never of two tenants at once.
    return this.#commits.run(no, no) > 0 || this.#others.some((statement) => statement.run(no) > 0);
  }
}
