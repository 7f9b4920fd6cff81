import { type CryptoKey, decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import { Actor, Err } from "../core/index.ts";
import { Refusal } from "./problem.ts";

/**
 * Tells who sends a request, from its Authorization header alone; throws a `Refusal` (401) for anybody else. The command that is sent, if
 * one is, lets it look closer where more is at stake.
 */
export type Authenticator = (authorization: string | null, command?: string) => Promise<Actor>;

/** Checks a token's signature and time and gives its claims; rejects with a JOSE error, or a `Refusal`, where it cannot. */
export type TokenVerifier = (token: string, command?: string) => Promise<JWTPayload>;

/** How old or young a token may be by another machine's clock, in seconds. */
export const CLOCK_TOLERANCE = 5;

/** For whom a token must be; what is absent does not matter. */
export interface Destination {
  /** What the claim `iss` must be, to the letter. */
  readonly issuer?: string;
  /** What the claim `aud` must be or hold. */
  readonly audience?: string;
}

/** Admits bearers of tokens whose claims `sub`, `tenant`, `roles` and (optional) `name` make an Actor. */
export function bearerAuthenticator(verify: TokenVerifier): Authenticator {
  return async (authorization, command) => {
    const token = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) {
      throw unauthenticated("send the header Authorization: Bearer <token>", 'Bearer realm="evenant"');
    }
    try {
      return actorOf(await verify(token, command));
    } catch (error) {
      if (error instanceof errors.JOSEError || Err.is(error)) throw invalidToken(reasonOf(error));
      throw error;
    }
  };
}

/** Verifies tokens that were signed with a shared secret: HS256 only, whatever the token says of its algorithm; `exp` is required. */
export async function secretVerifier(secret: Uint8Array): Promise<TokenVerifier> {
  const key = await hmacKey(secret, "verify");
  return async (token) => {
    refuseByClaims(token);
    const { payload } = await jwtVerify(token, key, {
      algorithms: ["HS256"],
      requiredClaims: ["exp", "sub", "tenant", "roles"],
      clockTolerance: CLOCK_TOLERANCE,
    });
    return payload;
  };
}

/**
 * Refuses a token that has expired or is meant for others by what it says itself: verifying it would come to the same, at ten times
 * the cost or more, and floods are mostly of such tokens. What passes is not verified yet.
 */
export function refuseByClaims(token: string, { issuer, audience }: Destination = {}): void {
  const claims = decodeJwt(token);
  const { exp, iss, aud } = claims;
  if (typeof exp === "number" && exp <= Math.floor(Date.now() / 1_000) - CLOCK_TOLERANCE)
    throw new errors.JWTExpired("it has expired", claims, "exp");
  if (issuer !== undefined && iss !== issuer) throw new errors.JWTClaimValidationFailed("another issuer's", claims, "iss");
  if (audience !== undefined && ![aud].flat().includes(audience))
    throw new errors.JWTClaimValidationFailed("for another audience", claims, "aud");
}

/** The refusal (503) of a token that may be good: whoever issued it cannot be asked, for keys or for the user. */
export function issuerAway(cause: unknown): Refusal {
  const refusal = new Refusal("store", "the issuer of the tokens cannot be asked now: try again", {
    headers: { "retry-after": "1" },
    facts: { retryable: true, outcome: "none" },
  });
  refusal.cause = cause;
  return refusal;
}

/** The key of HS256, made once, because making it for each token would cost more than verifying. */
export function hmacKey(secret: Uint8Array, use: "sign" | "verify"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new Uint8Array(secret), { name: "HMAC", hash: "SHA-256" }, false, [use]);
}

/** The one place where claims become an Actor. */
function actorOf({ sub, name, tenant, roles }: JWTPayload): Actor {
  return new Actor({
    id: sub as string,
    ...(name !== undefined && { name: name as string }),
    tenant: tenant as string,
    roles: roles as string[],
  });
}

/** JOSE's messages name the claim or the algorithm, never the token. */
function reasonOf(error: Error): string {
  if (error instanceof errors.JWTExpired) return "the token has expired: get a new one";
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return "the token is signed with another secret: get one from this server's";
  if (error instanceof errors.JWKSNoMatchingKey)
    return "the token is signed with a key that its issuer does not publish: get a new one";
  if (error instanceof errors.JOSEAlgNotAllowed) return "the token is not signed by the algorithm of this server: get a new one";
  if (error instanceof errors.JWTClaimValidationFailed)
    return `the token's claim ${error.claim} is missing or wrong: get a new one`;
  if (Err.is(error))
    return `the token's claims are wrong: ${error.message.replaceAll("actor.id", "sub").replaceAll("actor.", "")}`;
  return "the token is not a signed JWT: get a new one";
}

function invalidToken(reason: string): Refusal {
  return unauthenticated(
    reason,
    `Bearer realm="evenant", error="invalid_token", error_description="${reason.replace(/[^ !#-[\]-~]/g, "'")}"`,
  );
}

function unauthenticated(detail: string, challenge: string): Refusal {
  return new Refusal("unauthenticated", detail, { headers: { "www-authenticate": challenge } });
}
