import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { Err } from "../core/index.ts";
import type { AppEnv } from "./app-setting.ts";

/** How long a browser may remember what it is allowed, in seconds: the longest that Chromium keeps. */
const MAX_AGE = 7_200;

/**
 * Lets pages of the listed origins call the application from a browser; any other origin gets no CORS header, and its browser refuses.
 *
 * Without credentials, because who sends a request is said by the token alone, never by a cookie.
 * @throws {Err} as `checkOrigins` does
 */
export function crossOrigin(origins: readonly string[]): MiddlewareHandler<AppEnv> {
  checkOrigins(origins);
  const allowed = new Set(origins);
  const allow = cors({
    origin: [...origins],
    allowMethods: ["GET", "HEAD", "POST"],
    allowHeaders: [
      "Authorization",
      "Content-Type",
      "Idempotency-Key",
      "If-Match",
      "If-None-Match",
      "Last-Event-ID",
      "Traceparent",
      "Tracestate",
      "X-Correlation-Id",
    ],
    exposeHeaders: ["ETag", "Retry-After"],
    maxAge: MAX_AGE,
  });
  return async (context, next) => {
    const { method } = context.req;
    const isPreflight = method === "OPTIONS" && context.req.header("Access-Control-Request-Method") !== undefined;
    if (allowed.has(context.req.header("Origin") ?? "") && (method !== "OPTIONS" || isPreflight)) return allow(context, next);
    await next();
    // A cache must not show an answer without the headers to a page that may have them.
    context.header("Vary", "Origin", { append: true });
  };
}

/** @throws {Err} `invalid_argument` for what is no origin, `*` among them. */
export function checkOrigins(origins: readonly string[]): void {
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw Err.invalidArgument(
        "origins",
        `${origin} is no origin: give scheme, host and port only, such as https://app.example`,
      );
  }
}
