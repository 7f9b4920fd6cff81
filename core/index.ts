export type { Access, AccessPredicate, AccessRule, Readers } from "./model/access.ts";
export { Actor } from "./model/actor.ts";
export { type Address, keyOf } from "./model/address.ts";
export {
  Aggregate,
  type AggregateClass,
  type AppliedEvent,
  type CommandMap,
  type EventAppliers,
  type EventMap,
  type EventOf,
  type EventsOf,
} from "./model/aggregate.ts";
export { checkInteger } from "./model/arguments.ts";
export {
  type Commit,
  LIMITS,
  type PositionedCommit,
  type Receipt,
  type Snapshot,
  type StoredEvent,
} from "./model/commit.ts";
export {
  AuthorizationError,
  ConcurrencyError,
  Err,
  type ErrCode,
  IdempotencyError,
  StoreError,
  type StoreFailure,
  TenantError,
  type TenantStatus,
  ValidationError,
} from "./model/errors.ts";
export { stateOf } from "./model/fold.ts";
export { checkId, checkName } from "./model/ids.ts";
export {
  canonicalJson,
  type DeepReadonly,
  encode,
  type Json,
  type JsonObject,
} from "./model/json.ts";
export type { Publication, PublishedShape, PublishMap } from "./model/publication.ts";
export type { SchemaIssue, StandardSchema } from "./model/schema.ts";
export type { SnapshotPolicy } from "./model/snapshot.ts";
export type { Upcaster, UpcasterMap } from "./model/upcast.ts";
export { encodeView } from "./model/view.ts";
export type { AnyEventHandler, BatchItem, BatchResult, DeliveryPlace, IEventHandler } from "./ports/event-handler.ts";
export type {
  CommitOutcome,
  Cost,
  IEventStore,
  LoadOptions,
  LoadResult,
  PendingCommit,
  PendingWrite,
  ReadResult,
  Verified,
} from "./ports/event-store.ts";
export {
  defaultPlatform,
  type IPlatform,
  type Signal,
} from "./ports/platform.ts";
export {
  ERASED_NAME_REST,
  type ExportRecord,
  type TenantEntry,
  type TenantPage,
} from "./ports/tenants.ts";
export type {
  Cursor,
  CursorOutcome,
  CursorUpdate,
  Failure,
  Lease,
  ParkedEvent,
  ParkedKey,
  ParkedPage,
  Peek,
  ThreadState,
  Waiting,
} from "./ports/threads.ts";
export type { ITracer, Trace } from "./ports/tracer.ts";
export type { IViews, View, ViewPage, ViewWrite } from "./ports/views.ts";
export type { DeadLetter, Retried } from "./read/dead-letters.ts";
export type { Difference, DiffOptions, ViewDifference } from "./read/diff.ts";
export type { FailurePolicy } from "./read/failure-policy.ts";
export type { HandlerLag } from "./read/lag.ts";
export type { Blocked, PollOptions, PollResult } from "./read/poll.ts";
export { type Keeper, Projection, type ProjectionEvents, type ProjectionStep } from "./read/projection.ts";
export type { RunOptions, StreamReaderOptions } from "./read/reader-options.ts";
export type { RebuildOptions, Rebuilt } from "./read/rebuild.ts";
export type { RebuildProgress } from "./read/rebuild-meter.ts";
export type { Replayed, ReplayOptions } from "./read/replay.ts";
export { StreamReader } from "./read/stream-reader.ts";
export type { AnyHandler } from "./read/subscriber.ts";
export type { ViewReader } from "./read/view-reader.ts";
export type { CommandContext, EmptyPayload } from "./write/command-context.ts";
export { CommandHandler, type CommandHandlerOptions } from "./write/command-handler.ts";
export type { CommandOptions } from "./write/command-request.ts";
export type { AggregateClasses, CommandData, CommandName, PayloadOf } from "./write/inference.ts";
export type { HypotheticalEvent, Recalculation } from "./write/recalculate.ts";
