import { isDeepStrictEqual } from "node:util";
import { errors, type JWTPayload } from "jose";
import { issuerAway, type TokenVerifier } from "../auth.ts";
import { Refusal } from "../problem.ts";

/** The slice of firebase-admin's Auth that is used. */
export interface FirebaseAuth {
  verifyIdToken(token: string, checkRevoked?: boolean): Promise<object>;
  getUser(id: string): Promise<{ readonly customClaims?: Readonly<Record<string, unknown>> | undefined }>;
}

/** How ID tokens are verified. */
export interface IdTokenOptions {
  /** Commands for which the user is looked up too: one more request each. */
  readonly checkRevoked: ReadonlySet<string>;
  /** The emulator signs nothing: what a signature proves elsewhere, the claims, is compared with the user's record instead. */
  readonly isAuthEmulated: boolean;
}

/** What a token's claims of Evenant are called. */
const CLAIMS = ["tenant", "roles"] as const;

/** Verifies Firebase ID tokens; `auth` is asked for at the first one, so that nothing is loaded before. */
export function idTokenVerifier(
  auth: () => Promise<FirebaseAuth>,
  { checkRevoked, isAuthEmulated }: IdTokenOptions,
): TokenVerifier {
  return async (token, command) => {
    const firebase = await auth();
    try {
      const claims = (await firebase.verifyIdToken(token, command !== undefined && checkRevoked.has(command))) as JWTPayload;
      if (isAuthEmulated) await checkRecord(firebase, claims);
      return claims;
    } catch (error) {
      throw refusalOf(error);
    }
  };
}

async function checkRecord(firebase: FirebaseAuth, claims: JWTPayload): Promise<void> {
  const { customClaims = {} } = await firebase.getUser(claims.sub ?? "");
  for (const name of CLAIMS) {
    if (!isDeepStrictEqual(claims[name], customClaims[name])) throw new errors.JWSSignatureVerificationFailed();
  }
}

/** The same reasons as of any other token; an error that tells nothing of it says that Google is away, or stays what it is. */
function refusalOf(error: unknown): unknown {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  switch (code) {
    case "auth/id-token-expired":
      return new errors.JWTExpired("the ID token has expired", {});
    case "auth/id-token-revoked":
    case "auth/user-disabled":
    case "auth/user-not-found":
      return revoked();
    case "auth/argument-error":
    case "auth/invalid-id-token":
      return isAboutCertificates(message) ? issuerAway(error) : wrongToken(String(message));
    case "app/network-error":
    case "app/network-timeout":
      return issuerAway(error);
    default:
      // firebase-admin stumbles over tokens whose payload is no object, or no JSON.
      return error instanceof TypeError || error instanceof SyntaxError ? new errors.JWTInvalid() : error;
  }
}

function wrongToken(message: string): Error {
  const [, claim] = /"(aud|iss|sub)" \(/.exec(message) ?? [];
  if (claim !== undefined) return new errors.JWTClaimValidationFailed("another project's", {}, claim);
  if (/signature|"kid"/.test(message)) return new errors.JWSSignatureVerificationFailed();
  if (/algorithm/.test(message)) return new errors.JOSEAlgNotAllowed();
  return new errors.JWTInvalid();
}

/** Firebase calls it a wrong argument too when Google's keys cannot be had. Anchored, because what is said of tokens quotes them. */
function isAboutCertificates(message: unknown): boolean {
  return /^Error (fetching|while) /.test(String(message));
}

function revoked(): Refusal {
  const reason = "the token was revoked: sign in again";
  return new Refusal("unauthenticated", reason, {
    headers: { "www-authenticate": `Bearer realm="evenant", error="invalid_token", error_description="${reason}"` },
  });
}
