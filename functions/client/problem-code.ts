import type { ErrCode } from "../../core/index.ts";

/** Why the server refuses a request: the reasons of Evenant, and those that only HTTP knows. */
export type ProblemCode =
  | ErrCode
  | "malformed"
  | "unauthenticated"
  | "unknown_route"
  | "method_not_allowed"
  | "rate_limited"
  | "payload_too_large"
  | "unsupported_media_type"
  | "behind"
  | "too_many_streams"
  | "streams_full"
  | "deadline"
  | "stopping"
  | "internal";
