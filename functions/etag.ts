import type { Context } from "hono";
import type { AppEnv } from "./app-setting.ts";

/** The ETag of an aggregate as it is after a version. */
export function versionTag(version: number): string {
  return `"${version}"`;
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
