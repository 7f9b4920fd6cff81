import type { TokenOptions } from "@firebase/rules-unit-testing";

/** The tenant whose documents are asked for. */
export const TENANT = "acme";
/** A tenant whose name begins with the other's. */
export const TWIN = "acme-2";

/** Somebody who asks, and what they are truly entitled to: written by hand, so that it does not share the generator's mistakes. */
export interface Identity {
  readonly name: string;
  /** The claims of their token; undefined = they have none. */
  readonly claims: TokenOptions | undefined;
  /** The tenant they belong to, if to any. */
  readonly tenant?: string;
  /** The roles they have there. */
  readonly roles?: readonly string[];
}

/** Who asks in the matrix. */
export const IDENTITIES: readonly Identity[] = [
  { name: "nobody who signed in", claims: undefined },
  { name: "an anonymous user", claims: { provider_id: "anonymous" } },
  { name: "a member without roles", claims: { tenant: TENANT, roles: [] }, tenant: TENANT },
  { name: "a member with the role user", claims: { tenant: TENANT, roles: ["user"] }, tenant: TENANT, roles: ["user"] },
  { name: "a member with the role manager", claims: { tenant: TENANT, roles: ["manager"] }, tenant: TENANT, roles: ["manager"] },
  { name: "a member with a role of no rule", claims: { tenant: TENANT, roles: ["auditor"] }, tenant: TENANT, roles: ["auditor"] },
  {
    name: "a member with several roles",
    claims: { tenant: TENANT, roles: ["auditor", "user", "manager"] },
    tenant: TENANT,
    roles: ["user", "manager"],
  },
  { name: "a member without the claim roles", claims: { tenant: TENANT }, tenant: TENANT },
  { name: "a member whose roles are a text", claims: { tenant: TENANT, roles: "manager" }, tenant: TENANT },
  { name: "a member whose roles are a map", claims: { tenant: TENANT, roles: { manager: true, user: true } }, tenant: TENANT },
  { name: "a member whose roles are a number", claims: { tenant: TENANT, roles: 7 }, tenant: TENANT },
  { name: "a member whose roles are lists", claims: { tenant: TENANT, roles: [["manager"], ["user"]] }, tenant: TENANT },
  {
    name: "a manager of the tenant whose name is longer",
    claims: { tenant: TWIN, roles: ["manager", "user"] },
    tenant: TWIN,
    roles: ["manager", "user"],
  },
  { name: "a manager of the tenant whose name is shorter", claims: { tenant: "acm", roles: ["manager", "user"] }, tenant: "acm" },
  { name: "a manager of the tenant in capitals", claims: { tenant: "ACME", roles: ["manager", "user"] }, tenant: "ACME" },
  { name: "a manager without the claim tenant", claims: { roles: ["manager", "user"] } },
  { name: "a manager whose tenant is null", claims: { tenant: null, roles: ["manager", "user"] } },
  { name: "a manager whose tenant is empty", claims: { tenant: "", roles: ["manager", "user"] } },
  { name: "a manager whose tenant is a list", claims: { tenant: [TENANT], roles: ["manager", "user"] } },
  { name: "a manager whose tenant is a map", claims: { tenant: { [TENANT]: true }, roles: ["manager", "user"] } },
  { name: "a manager whose tenant is a pattern", claims: { tenant: ".*", roles: ["manager", "user"] } },
  {
    name: "a manager whose tenant is Identity Platform's",
    claims: {
      firebase: { sign_in_provider: "custom", tenant: TENANT } as unknown as NonNullable<TokenOptions["firebase"]>,
      roles: ["manager"],
    },
  },
];
