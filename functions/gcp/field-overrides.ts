/** What Firestore must do with a field instead of indexing it as it does every other. */
export interface FieldOverride {
  readonly collectionGroup: string;
  readonly fieldPath: string;
  /** Documents are deleted when the field's time has come. */
  readonly ttl?: boolean;
  readonly indexes: readonly { readonly arrayConfig?: string; readonly order?: string; readonly queryScope?: string }[];
}

/** A field as Firestore's admin API tells of it; the slice that is read. */
export interface FieldState {
  /** `projects/p/databases/(default)/collectionGroups/receipts/fields/expireAt` */
  readonly name?: string | null;
  readonly indexConfig?: {
    readonly usesAncestorConfig?: boolean | null;
    readonly indexes?: readonly { readonly fields?: readonly FieldIndex[] | null; readonly state?: unknown }[] | null;
  } | null;
  readonly ttlConfig?: { readonly state?: unknown } | null;
}

interface FieldIndex {
  readonly arrayConfig?: unknown;
  readonly order?: unknown;
}

/** What every database of Evenant needs; more does no harm. */
export const REQUIRED_OVERRIDES: readonly FieldOverride[] = [
  { collectionGroup: "events", fieldPath: "data", indexes: [] },
  { collectionGroup: "events", fieldPath: "commitId", indexes: [] },
  { collectionGroup: "states", fieldPath: "state", indexes: [] },
  { collectionGroup: "receipts", fieldPath: "data", indexes: [] },
  { collectionGroup: "receipts", fieldPath: "expireAt", ttl: true, indexes: [] },
  { collectionGroup: "log", fieldPath: "refs", indexes: [] },
  { collectionGroup: "log", fieldPath: "page", indexes: [{ arrayConfig: "CONTAINS", queryScope: "COLLECTION" }] },
  { collectionGroup: "threads", fieldPath: "data", indexes: [] },
  { collectionGroup: "parked", fieldPath: "data", indexes: [] },
];

/** How a field differs from what is wanted, as half a sentence; undefined where it does not. */
export function differenceOf(wanted: FieldOverride, fields: readonly FieldState[]): string | undefined {
  const label = `${wanted.collectionGroup}.${wanted.fieldPath}`;
  const end = `/collectionGroups/${wanted.collectionGroup}/fields/${wanted.fieldPath}`;
  const field = fields.find(({ name }) => name?.replaceAll("`", "").endsWith(end));
  if (field === undefined || field.indexConfig?.usesAncestorConfig) return `${label} is indexed as any other field`;
  const kinds = (field.indexConfig?.indexes ?? []).flatMap(({ fields: parts }) => parts?.map(kindOf) ?? []);
  const expected = wanted.indexes.map(kindOf);
  if (kinds.sort().join() !== expected.sort().join()) {
    return `${label} has the indexes [${kinds.join(", ")}] instead of [${expected.join(", ")}]`;
  }
  return undefined;
}

/** The state of the deletion by a field's time: `ACTIVE` when it works; undefined where it was never turned on. */
export function ttlStateOf(wanted: FieldOverride, fields: readonly FieldState[]): string | undefined {
  const end = `/collectionGroups/${wanted.collectionGroup}/fields/${wanted.fieldPath}`;
  const state = fields.find(({ name }) => name?.endsWith(end))?.ttlConfig?.state;
  return state === undefined || state === null ? undefined : String(state);
}

function kindOf({ arrayConfig, order }: FieldIndex): string {
  return String(arrayConfig ?? order);
}
