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

/** Reads a project with the credentials of whoever asks (`gcloud auth application-default login`); SDKs are loaded when they are needed. */
export function googleReaders(projectId: string): GoogleReaders {
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
      const { v1 } = await import("@google-cloud/firestore");
      const client = new v1.FirestoreAdminClient({ projectId });
      try {
        const parent = `projects/${projectId}/databases/(default)/collectionGroups/-`;
        const filter = "indexConfig.usesAncestorConfig=false OR ttlConfig:*";
        const [fields] = await client.listFields({ parent, filter }, { timeout: 8_000 });
        return fields as readonly FieldState[];
      } finally {
        await client.close();
      }
    },
    users: async () => {
      const { getAuth } = await import("firebase-admin/auth");
      const { users } = await getAuth(await firebase()).listUsers(1_000);
      return users.map(({ uid, customClaims = {} }) => ({ id: uid, claims: customClaims }));
    },
  };
}
