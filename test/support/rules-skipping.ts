import type { Firestore } from "firebase/firestore";
import { firestoreEmulator } from "./firestore-emulator.ts";
import type { Identity } from "./rules-identities.ts";

/** Lists one document after skipping some, which are billed like those that are sent; by HTTP, because the web SDK cannot skip. */
export async function listBehindOffset({ app }: Firestore, collection: string, { claims }: Identity): Promise<void> {
  const { host } = await firestoreEmulator();
  const { projectId = "" } = app.options;
  const segments = `projects/${projectId}/databases/(default)/documents/${collection}`.split("/");
  const collectionId = segments.pop();
  const response = await fetch(`http://${host}/v1/${segments.join("/")}:runQuery`, {
    method: "POST",
    headers: claims === undefined ? {} : { authorization: `Bearer ${unsignedToken(projectId, claims)}` },
    body: JSON.stringify({ structuredQuery: { from: [{ collectionId }], offset: 1, limit: 1 } }),
  });
  const text = await response.text();
  if (response.status === 403) throw Object.assign(new Error(text), { code: "permission-denied" });
  if (!response.ok) throw new Error(text);
}

function unsignedToken(projectId: string, claims: object): string {
  const now = Math.floor(Date.now() / 1_000);
  const standard = { iss: `https://securetoken.google.com/${projectId}`, aud: projectId, iat: now, exp: now + 3_600 };
  const parts = [
    { alg: "none", type: "JWT" },
    { ...standard, auth_time: now, sub: "skipping", user_id: "skipping", ...claims },
  ];
  return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")}.`;
}
