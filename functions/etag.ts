import type { Context } from "hono";
import type { IPlatform, Json } from "../core/index.ts";
import type { AppEnv } from "./app-setting.ts";

/** How much of the digest stands in an aggregate's tag: enough that the states of one version do not meet by chance. */
const DIGITS = 12;

/**
 * The ETag of an aggregate: its version, and a digest of the state that is answered, since an erasure, a redaction or a release may put
 * another state at the same version. The state's keys are sorted, as `stateOf` gives them.
 */
export async function stateTag(version: number, state: Json, digest: IPlatform["digest"]): Promise<string> {
  return `"${version}-${(await digest(JSON.stringify(state))).slice(0, DIGITS)}"`;
}

/** The ETag of an answer that has no version: a digest of its text. */
export async function digestTag(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `"${btoa(String.fromCharCode(...new Uint8Array(digest, 0, 15)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")}"`;
}

/**
 * Answers a read with JSON and its ETag, or with 304 and no body where `If-None-Match` names that tag.
 *
 * `no-store` all the same: a browser's cache knows the URL, not the token, and would show one tenant's answer to another. Clients that
 * want the 304 keep the answer themselves.
 */
export function taggedJson(context: Context<AppEnv>, text: string, tag: string): Response {
  const headers = { etag: tag, "cache-control": "no-store" };
  if (isNamed(context.req.header("If-None-Match"), tag)) return new Response(null, { status: 304, headers });
  return new Response(text, { headers: { ...headers, "content-type": "application/json" } });
}

/** The weak comparison of RFC 9110, as reads ask for; what is no list of tags names nothing. */
function isNamed(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" || [...header.matchAll(/"[^"]*"/g)].some(([named]) => named === tag);
}
