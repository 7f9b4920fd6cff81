import type { FieldState } from "./field-overrides.ts";

/** A user's id and what the operator says of them. */
export interface UserClaims {
  readonly id: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What the checks ask of a project; every one only reads. */
export interface GoogleReaders {
  /** The text of the Firestore rules in force; undefined where none are. */
  rules(): Promise<string | undefined>;
  /** The fields of the default database that are not treated as all others. */
  fields(): Promise<readonly FieldState[]>;
  /** The first users, at most 1,000. */
  users(): Promise<readonly UserClaims[]>;
}

/** Where the admin API of Firestore is asked, and as whom; for tests. */
export interface AdminApi {
  readonly origin: string;
  readonly accessToken: () => Promise<string>;
}

/** How long the admin API may take, in ms. */
const DEADLINE = 8_000;
const OVERRIDDEN = "indexConfig.usesAncestorConfig=false OR ttlConfig:*";

const api: AdminApi = {
  origin: "https://firestore.googleapis.com",
  accessToken: async () => {
    const { applicationDefault } = await import("firebase-admin/app");
    return (await applicationDefault().getAccessToken()).access_token;
  },
};

/** Reads a project with the credentials of whoever asks (`gcloud auth application-default login`); SDKs are loaded when they are needed. */
export function googleReaders(projectId: string, { origin, accessToken }: AdminApi = api): GoogleReaders {
  const firebase = async () => {
    const { getApps, initializeApp } = await import("firebase-admin/app");
    return getApps().find(({ name }) => name === projectId) ?? initializeApp({ projectId }, projectId);
  };
  return {
    rules: async () => {
      const { getSecurityRules } = await import("firebase-admin/security-rules");
      const { source } = await getSecurityRules(await firebase()).getFirestoreRuleset();
      return source[0]?.content;
    },
    fields: async () => {
      const path = `/v1/projects/${projectId}/databases/(default)/collectionGroups/-/fields`;
      const query = new URLSearchParams({ filter: OVERRIDDEN, pageSize: "300" });
      const response = await fetch(`${origin}${path}?${query}`, {
        headers: { authorization: `Bearer ${await accessToken()}`, "x-goog-user-project": projectId },
        signal: AbortSignal.timeout(DEADLINE),
      });
      const answer = (await response.json()) as { fields?: readonly FieldState[]; error?: { readonly message: string } };
      if (!response.ok) throw new Error(`Firestore answered ${response.status}: ${answer.error?.message}`);
      return answer.fields ?? [];
    },
    users: async () => {
      const { getAuth } = await import("firebase-admin/auth");
      const { users } = await getAuth(await firebase()).listUsers(1_000);
      return users.map(({ uid, customClaims = {} }) => ({ id: uid, claims: customClaims }));
    },
  };
}
