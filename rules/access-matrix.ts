import { checkName, Err, type Readers } from "../core/index.ts";
import type { Composition } from "../functions/composition.ts";

/** One collection that clients might read straight from the database, and who may. */
export interface AccessEntry {
  readonly kind: "views" | "snapshots";
  /** The collection of views, or the type of the aggregates. */
  readonly name: string;
  /** The class that declares it. */
  readonly declaredBy: string;
  /** Where the documents lie; `{tenant}` and `{id}` stand for any. */
  readonly path: string;
  /** Undefined = nobody. */
  readonly readers: Readers | undefined;
}

/** A collection's other generation of views, and the pointer to the live one: read by whoever may read the views. */
const BESIDE = ["~1", "~live"] as const;

/**
 * Collects who may read what from the declarations of a domain: its projections' views, then its aggregates' snapshots, by name.
 *
 * @throws {Err} `invalid_argument` for readers that are neither "tenant" nor roles, for readers of an aggregate that keeps no
 * snapshots, and for a collection that two projections declare differently.
 */
export function accessMatrix({ aggregates, threads }: Composition): readonly AccessEntry[] {
  const entries = new Map<string, AccessEntry>();
  for (const handler of Object.values(threads).flat()) {
    if (!("collection" in handler)) continue;
    const name = checkName(handler.collection, "collection");
    const declaredBy = handler.constructor.name;
    const readers = checkReaders(handler.readers, declaredBy);
    for (const place of [name, ...BESIDE.map((suffix) => name + suffix)]) {
      const path = `tenants/{tenant}/views/${place}/items/{id}`;
      add(entries, { kind: "views", name: place, declaredBy, path, readers });
    }
  }
  for (const Type of aggregates) {
    const name = checkName(Type.path.replace(/^\//, ""), `${Type.name}.path`);
    const readers = checkReaders(Type.readers, Type.name);
    if (readers !== undefined && Type.snapshot === false)
      throw Err.invalidArgument(
        `${Type.name}.readers`,
        "it keeps no snapshots that one could read: keep them, or remove readers",
      );
    const path = `tenants/{tenant}/snapshots/${name}/states/{id}`;
    add(entries, { kind: "snapshots", name, declaredBy: Type.name, path, readers });
  }
  return [...entries.values()].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

function add(entries: Map<string, AccessEntry>, entry: AccessEntry): void {
  const other = entries.get(entry.path);
  if (other !== undefined)
    throw Err.invalidArgument(`${entry.declaredBy}.readers`, `${entry.name} is ${other.declaredBy}'s already: give each its own`);
  entries.set(entry.path, entry);
}

function rank({ kind }: AccessEntry): number {
  return kind === "views" ? 0 : 1;
}

/** Roles go into rules as texts: whatever would need escaping there is refused. */
function checkReaders(readers: Readers | undefined, owner: string): Readers | undefined {
  if (readers === undefined || readers === "tenant") return readers;
  const areRoles = Array.isArray(readers) && readers.length > 0 && readers.every((role) => /^[\w .:@/+-]+$/.test(role));
  if (areRoles) return readers;
  throw Err.invalidArgument(`${owner}.readers`, 'give "tenant", or roles of letters, digits, spaces and . : @ / + - _');
}
