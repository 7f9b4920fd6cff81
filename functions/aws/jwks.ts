import { createRemoteJWKSet, customFetch, type FetchImplementation, jwtVerify } from "jose";
import { CLOCK_TOLERANCE, type Destination, issuerAway, refuseByClaims, type TokenVerifier } from "../auth.ts";

/** Who issues the tokens, and how they say what an Actor is made of. */
export interface IssuerSettings extends Required<Destination> {
  readonly jwks: URL;
  /** The only algorithms that count, whatever a token says; asymmetric ones. */
  readonly algorithms: readonly string[];
  /** Where the tenant stands; Cognito: `custom:tenant`. */
  readonly tenantClaim: string;
  /** Where the roles stand, an array of texts; absent = no roles. Cognito: `cognito:groups`. */
  readonly rolesClaim: string;
}

/** How long fetching the keys may take, in ms. */
const DEADLINE = 3_000;
/** How long keys are used before they are fetched again, in ms: so long a withdrawn key still counts. */
const CACHE_AGE = 600_000;
/** How soon an unknown key may make them be fetched again, in ms: so strangers cannot make us call the issuer for each token. */
const COOLDOWN = 30_000;
/** How long no token makes the keys be fetched after that failed, in ms: so an issuer that is down costs the others no deadline each. */
const PAUSE = 1_000;

/** What only tests change. */
export interface JwksTimes {
  readonly deadline?: number;
  readonly cooldown?: number;
  readonly cacheAge?: number;
  readonly pause?: number;
}

/**
 * Verifies tokens by the published keys of their issuer; keys are fetched at the first token, kept for 10 minutes, and fetched again when a
 * token names an unknown one (at most every 30 s). Rejects with a `Refusal` (503) while the keys cannot be had: the token may be good. Tokens
 * share a fetch, and for a second after one that failed they share its failure.
 */
export function jwksVerifier(settings: IssuerSettings, times: JwksTimes = {}): TokenVerifier {
  const { issuer, audience, algorithms, tenantClaim, rolesClaim } = settings;
  const keys = createRemoteJWKSet(settings.jwks, {
    timeoutDuration: times.deadline ?? DEADLINE,
    cooldownDuration: times.cooldown ?? COOLDOWN,
    cacheMaxAge: times.cacheAge ?? CACHE_AGE,
    [customFetch]: pausing(fetchKeys, times.pause ?? PAUSE),
  });
  return async (token) => {
    refuseByClaims(token, settings);
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: [...algorithms],
      requiredClaims: ["exp", "sub", tenantClaim],
      clockTolerance: CLOCK_TOLERANCE,
    });
    // The one place where an issuer's claims become those that `actorOf` reads.
    return { ...payload, tenant: payload[tenantClaim], roles: payload[rolesClaim] ?? [] };
  };
}

/** Fetches the keys; what goes wrong here is not the token's fault, and must not look so. */
const fetchKeys: FetchImplementation = async (url, options) => {
  try {
    const response = await fetch(url, options);
    if (response.status !== 200) throw issuerError(`it answered ${response.status}`);
    const keys: unknown = await response.json();
    if (!Array.isArray((keys as { readonly keys?: unknown }).keys)) throw issuerError("it answered no key set");
    return Response.json(keys);
  } catch (cause) {
    throw issuerAway(cause);
  }
};

/** Rests after a fetch that failed: whoever asks meanwhile hears of that failure at once. */
function pausing(fetchThem: FetchImplementation, pause: number): FetchImplementation {
  let failure: unknown;
  let until = 0;
  return async (url, options) => {
    if (performance.now() < until) throw failure;
    try {
      return await fetchThem(url, options);
    } catch (error) {
      failure = error;
      until = performance.now() + pause;
      throw error;
    }
  };
}

/** With a code, because the log keeps the messages of such causes only. */
function issuerError(message: string): Error {
  return Object.assign(new Error(message), { code: "ISSUER" });
}
