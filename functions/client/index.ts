export {
  type CallOptions,
  type Client,
  type ClientOptions,
  type CommandCallOptions,
  createClient,
  type PageOptions,
  type ViewCollection,
} from "./client.ts";
export { type ClientCode, ClientError } from "./client-error.ts";
export type {
  AggregateAnswer,
  CommandAnswer,
  CommitAnswer,
  CommitPage,
  LogPage,
  PathOf,
  StateAt,
  StateOf,
  ViewAnswer,
  ViewOf,
  ViewPageAnswer,
} from "./inference.ts";
export type { Clock } from "./request.ts";
