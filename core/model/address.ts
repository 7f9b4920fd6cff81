/** Where an aggregate lives; the only type that addresses storage, so that the tenant cannot be forgotten. */
export interface Address {
  readonly tenant: string;
  /** The aggregate's type: its `static path` without the leading slash. */
  readonly type: string;
  readonly id: string;
}

/**
 * Makes the key of an address for in-memory maps; the only maker of such keys.
 *
 * Injective: tenant and type cannot contain a slash (see `ids.ts`), and the id comes last.
 */
export function keyOf(address: Address): string {
  return `${address.tenant}/${address.type}/${address.id}`;
}
