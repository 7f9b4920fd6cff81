import type { Client, Query } from "./client.ts";
import type { TenantRow } from "./registry.ts";

/** How many rows one step deletes: other tenants wait for a step, not for the whole. */
const STEP = 256;

/** Deletes all rows of a tenant but its registry entry, step by step. */
export class Sweep {
  readonly #deletes: readonly Query<never>[];

  constructor(client: Client) {
    // Commits before the aggregates whose numbers they carry: a number is never of two tenants at once.
    this.#deletes = [
      client.query(
        `DELETE FROM commits WHERE tenant = ?1 AND position IN (SELECT position FROM commits WHERE tenant = ?1 LIMIT ${STEP})`,
      ),
      client.query(`DELETE FROM aggregates WHERE no IN (SELECT no FROM aggregates WHERE tenant = ?1 LIMIT ${STEP})`),
      client.query(
        `DELETE FROM views WHERE (tenant, collection, id) IN (SELECT tenant, collection, id FROM views WHERE tenant = ?1 LIMIT ${STEP})`,
      ),
      client.query(
        `DELETE FROM parked WHERE (tenant, thread, handler, position, place) IN
        (SELECT tenant, thread, handler, position, place FROM parked WHERE tenant = ?1 LIMIT ${STEP})`,
      ),
      client.query("DELETE FROM threads WHERE tenant = ?1"),
      client.query("DELETE FROM collections WHERE tenant = ?1"),
    ];
  }

  /** Deletes up to 256 rows inside a transaction; tells whether some may be left. */
  step({ no }: TenantRow): boolean {
    return this.#deletes.some((statement) => statement.run(no) > 0);
  }
}
