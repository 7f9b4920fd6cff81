import type { Readers } from "../core/index.ts";
import type { AccessEntry } from "./access-matrix.ts";

/** The most documents that a client may list at once. */
export const LIST_LIMIT = 100;

const HEAD = `rules_version = '2';

// Made by \`npm run rules\` from what projections and aggregates declare as \`readers\`: change those, never this file.
//
// Whatever is not named here is denied: every write, every event, log, receipt, thread and parked event, the registry of tenants,
// every collection group. Servers come with the Admin SDK, which rules do not bind.
service cloud.firestore {
  match /databases/{database}/documents {
    // The caller's token is of this tenant; claims are set by the operator and signed by Firebase, so no client chooses them.
    function isMember(tenant) {
      return request.auth != null
        && request.auth.token.get('tenant', null) is string
        && request.auth.token.tenant == tenant;
    }

    // The caller's token has one of these roles.
    function hasRole(roles) {
      let claimed = request.auth.token.get('roles', null);
      return claimed is list && claimed.hasAny(roles);
    }

    // The query asks for one page, and skips nothing: what is skipped is billed like what is sent.
    function isPage() {
      return request.query.limit is int && request.query.limit <= ${LIST_LIMIT}
        && request.query.get('offset', 0) in [0, null];
    }
`;

const TAIL = `  }
}
`;

/** Makes the text of `firestore.rules`: one literal match for each collection that somebody may read, and nothing else. */
export function firestoreRules(matrix: readonly AccessEntry[]): string {
  return `${HEAD}${matrix.map(matchOf).join("")}${TAIL}`;
}

function matchOf({ path, readers, declaredBy }: AccessEntry): string {
  if (readers === undefined) return "";
  const condition = conditionOf(readers);
  return `
    // ${declaredBy}
    match /${path} {
      allow get: if ${condition};
      allow list: if ${condition} && isPage();
    }
`;
}

function conditionOf(readers: Readers): string {
  if (readers === "tenant") return "isMember(tenant)";
  return `isMember(tenant) && hasRole([${readers.map((role) => `'${role}'`).join(", ")}])`;
}
