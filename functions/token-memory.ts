import type { JWTPayload } from "jose";
import type { TokenVerifier } from "./auth.ts";

/** How long a token counts as verified, in ms, unless it ends before: a verifier that asks for revocation does so that late. */
const REMEMBERED = 60_000;
const MOST = 10_000;

interface Verified {
  readonly payload: JWTPayload;
  /** ms since 1970. */
  readonly until: number;
}

/**
 * Verifies a token once a minute instead of at each request: checking a signature costs more than most commands do.
 *
 * Only what was verified is remembered, under the whole token and the command, and never beyond its `exp`.
 */
export function remembering(verify: TokenVerifier, now: () => number = Date.now): TokenVerifier {
  /** In the order in which they were verified. */
  const known = new Map<string, Verified>();
  return async (token, command) => {
    // A verifier may look closer for one command than for another.
    const key = command === undefined ? token : `${token} ${command}`;
    const verified = known.get(key);
    if (verified !== undefined && now() < verified.until) return verified.payload;
    known.delete(key);
    const payload = await verify(token, command);
    const end = payload.exp === undefined ? 0 : payload.exp * 1_000;
    known.set(key, { payload, until: Math.min(now() + REMEMBERED, end) });
    if (known.size > MOST) known.delete(known.keys().next().value as string);
    return payload;
  };
}
