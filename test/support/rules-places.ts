import { TENANT, TWIN } from "./rules-identities.ts";

/** A document that somebody asks for, and who may read it: written by hand, so that the declarations cannot change unnoticed. */
export interface Place {
  readonly path: string;
  readonly tenant: string;
  readonly readers?: "tenant" | readonly string[];
}

const READABLE: readonly (readonly [string, "tenant" | readonly string[]])[] = [
  ["views/totals/items/c1", "tenant"],
  ["views/posts/items/p1", "tenant"],
  ["views/loans/items/l1", ["user", "manager"]],
  ["views/accounts/items/a1", ["manager"]],
  ["views/hot-products/items/tea", ["manager"]],
  ["views/totals~1/items/c1", "tenant"],
  ["views/totals~live/items/live", "tenant"],
  ["views/posts~1/items/p1", "tenant"],
  ["views/posts~live/items/live", "tenant"],
  ["views/accounts~1/items/a1", ["manager"]],
  ["views/accounts~live/items/live", ["manager"]],
  ["views/hot-products~1/items/tea", ["manager"]],
  ["views/hot-products~live/items/live", ["manager"]],
  ["views/loans~1/items/l1", ["user", "manager"]],
  ["views/loans~live/items/live", ["user", "manager"]],
  ["snapshots/key-press-calculators/states/k1", "tenant"],
  ["snapshots/loans/states/l1", ["manager"]],
];

const PRIVATE: readonly string[] = [
  "events/loans.l1.a0",
  "log/open",
  "log/a1",
  "receipts/r1",
  "threads/business",
  "parked/business,Loans,a1,a0",
  "views/loans",
  "views/loans~1",
  "views/loans~2/items/l1",
  "views/unheard/items/x",
  "views/loans/others/l1",
  "views/loans/items/l1/deeper/d1",
  "snapshots/loans",
  "snapshots/summing-calculators/states/c1",
  "snapshots/accounts/states/a1",
  "snapshots/users/states/u1",
  "snapshots/posts/states/p1",
  "snapshots/carts/states/c1",
  "stray/s1",
];

/** What is asked for in the matrix: every kind of document of a tenant, those of its twin that its readers may read, and strays. */
export const PLACES: readonly Place[] = [
  ...READABLE.map(([path, readers]) => ({ path: `tenants/${TENANT}/${path}`, tenant: TENANT, readers })),
  ...PRIVATE.map((path) => ({ path: `tenants/${TENANT}/${path}`, tenant: TENANT })),
  { path: `tenants/${TENANT}`, tenant: TENANT },
  { path: `tenants/${TWIN}/views/loans/items/l1`, tenant: TWIN, readers: ["user", "manager"] },
  { path: `tenants/${TWIN}/snapshots/loans/states/l1`, tenant: TWIN, readers: ["manager"] },
  { path: "views/loans/items/l1", tenant: "" },
];

/** The documents that are there when the matrix is asked. */
export const SEEDED: readonly string[] = PLACES.map(({ path }) => path);
