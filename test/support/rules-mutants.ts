/** A change of the rules that would let somebody in. */
export interface Mutant {
  readonly title: string;
  readonly from: string | RegExp;
  readonly to: string;
  /** The name of the identity that it lets in, asked first only to be quick. */
  readonly askFirst?: string;
}

const SEED = `    match /tenants/{tenant}/{snapshots}/{snapshot} { allow read: if isMember(tenant); }`;
const GROUP = `    match /{path=**}/items/{id} { allow list: if request.auth != null && isPage(); }`;

/** Changes of the rules, each of which the matrix must notice. */
export const MUTANTS: readonly Mutant[] = [
  {
    title: "do not compare tenants",
    askFirst: "a manager of the tenant whose name is longer",
    from: /\n *&& request.auth.token.tenant == tenant/,
    to: "",
  },
  { title: "admit whoever signed in, or is a member", from: "!= null\n        &&", to: "!= null\n        ||" },
  { title: "admit whoever has a tenant, or this one", from: "is string\n        &&", to: "is string\n        ||" },
  { title: "compare only how the tenant begins", from: "token.tenant == tenant", to: "token.tenant == tenant.split('-')[0]" },
  {
    title: "take the tenant of the token for a pattern",
    askFirst: "a manager whose tenant is a pattern",
    from: "request.auth.token.tenant == tenant",
    to: "tenant.matches(request.auth.token.tenant)",
  },
  {
    title: "compare tenants without regard to case",
    askFirst: "a manager of the tenant in capitals",
    from: "token.tenant == tenant",
    to: "token.tenant.lower() == tenant",
  },
  {
    title: "believe Identity Platform's tenant",
    from: /request.auth.token.get\('tenant', null\) is string\n *&& request.auth.token.tenant == tenant/,
    to: "[request.auth.token.get('tenant', null), request.auth.token.firebase.get('tenant', null)].hasAny([tenant])",
    askFirst: "a manager whose tenant is Identity Platform's",
  },
  { title: "admit any list of roles, or the right one", from: "claimed is list &&", to: "claimed is list ||" },
  { title: "do not look into the list of roles", from: " && claimed.hasAny(roles)", to: "" },
  {
    title: "look for a role in a map as well",
    askFirst: "a member whose roles are a map",
    from: "claimed is list && claimed.hasAny(roles)",
    to: "roles[0] in claimed",
  },
  {
    title: "look for a role in a text as well",
    askFirst: "a member whose roles are a text",
    from: "claimed is list && claimed.hasAny(roles)",
    to: "claimed == roles[0] || (claimed is list && claimed.hasAny(roles))",
  },
  {
    title: "admit members or managers",
    from: "get: if isMember(tenant) && hasRole(['manager'])",
    to: "get: if isMember(tenant) || hasRole(['manager'])",
  },
  {
    title: "forget the roles of a list",
    from: "list: if isMember(tenant) && hasRole(['user', 'manager'])",
    to: "list: if isMember(tenant)",
  },
  {
    title: "forget the tenant where there is a role",
    askFirst: "a manager without the claim tenant",
    from: "get: if isMember(tenant) && hasRole(['manager'])",
    to: "get: if hasRole(['manager'])",
  },
  { title: "admit one role more", from: "['user', 'manager']", to: "['user', 'manager', 'auditor']" },
  { title: "list without a page", from: "list: if isMember(tenant) && isPage()", to: "list: if isMember(tenant)" },
  { title: "list pages or anything", from: "isMember(tenant) && isPage()", to: "isMember(tenant) || isPage()" },
  { title: "list longer pages", from: "<= 100", to: "<= 101" },
  { title: "skip what is not shown", from: /\n *&& request.query.get\('offset', 0\) in \[0, null\]/, to: "" },
  { title: "allow to read where it says get", from: "allow get: if isMember(tenant);", to: "allow read: if isMember(tenant);" },
  { title: "allow to create", from: "allow get: if isMember(tenant);", to: "allow get, create: if isMember(tenant);" },
  { title: "allow to update", from: "allow get: if isMember(tenant);", to: "allow get, update: if isMember(tenant);" },
  { title: "allow to delete", from: "allow get: if isMember(tenant);", to: "allow get, delete: if isMember(tenant);" },
  { title: "name any collection of views", from: "/views/totals/items/", to: "/views/{collection}/items/" },
  { title: "name any type of snapshots", from: "/snapshots/loans/states/", to: "/snapshots/{type}/states/" },
  { title: "name any collection of a tenant (defect 16 of the parent)", from: /(\n {2}\}\n\}\n)$/, to: `\n${SEED}$1` },
  { title: "name what lies below a view", from: "/views/loans/items/{id}", to: "/views/loans/items/{id=**}" },
  { title: "open a collection group", from: /(\n {2}\}\n\}\n)$/, to: `\n${GROUP}$1` },
  { title: "name the wrong collection", from: "/views/posts/", to: "/views/post/" },
];

/** The rules with a mutant's change. @throws {Error} where there is nothing to change: the mutant must be mended. */
export function mutated(rules: string, { title, from, to }: Mutant): string {
  const changed = rules.replace(from, to);
  if (changed === rules) throw new Error(`no mutant "${title}": the rules have no ${from}`);
  return changed;
}
