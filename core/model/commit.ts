import type { Address } from "./address.ts";
import { encode, type JsonObject } from "./json.ts";
import { jsonBytes } from "./text.ts";

/** One thing that happened to an aggregate, as it is stored. Frozen. */
export interface StoredEvent {
  readonly name: string;
  readonly payload: JsonObject;
  /** The shape of the payload, counted from 0; upcasters lift an older one to the newest. */
  readonly schemaVersion: number;
}

/** The record that a commandId was executed; stored with the first commit of its command. Frozen. */
export interface Receipt {
  readonly commandId: string;
  readonly actorId: string;
  /** Digest of command and payload, so that another command with the same id is noticed. */
  readonly hash: string;
  /** The aggregate that the command was for, and its version after the command. */
  readonly type: string;
  readonly id: string;
  readonly version: number;
}

/** One command's events on one aggregate, stored together. Frozen. */
export interface Commit extends Address {
  /** Place in the aggregate: 0, 1, 2, … without gaps. */
  readonly version: number;
  /** 21 characters; the commits of one command on several aggregates share it. */
  readonly commitId: string;
  /** 1 to 64 events, in order; none = the note that a redaction ended, which voids the states of before. */
  readonly events: readonly StoredEvent[];
  readonly command: string;
  readonly actor: { readonly id: string; readonly name: string };
  /** When the command ran, by the clock of its machine, in ms since 1970; never used for order. */
  readonly at: number;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly receipt?: Receipt;
  /** When the payloads were redacted, in ms since 1970; absent if they never were. */
  readonly redactedAt?: number;
}

/** A commit with its place in its tenant's order: an integer of at least 1, strictly increasing, not necessarily dense. */
export interface PositionedCommit extends Commit {
  readonly position: number;
}

/** A cached state of an aggregate; always disposable. Frozen. */
export interface Snapshot {
  readonly version: number;
  /** The number of the state's shape; one that is not the class's own is ignored. */
  readonly schema: number;
  readonly state: JsonObject;
}

/** Bounds of one command, the same on every store. */
export const LIMITS = Object.freeze({
  /** Events in one commit. */
  events: 64,
  /** Aggregates written by one command. */
  written: 16,
  /** Aggregates verified by one command, beside those that it writes. */
  verified: 16,
  /** Bytes of JSON of one commit's events. */
  commitBytes: 256 * 1024,
  /** Bytes of JSON of all the commits of one command. */
  commandBytes: 1024 * 1024,
});

/** A list of events counts as this deep, so that a payload in it counts from 1. */
const EVENTS_DEPTH = -1;
/** The bytes of `{"name":,"payload":,"schemaVersion":1000000},` around an event's name and payload, and a share of the list's brackets. */
const EVENT_OVERHEAD = 46;

/** The bytes of JSON of a commit's events. @throws {ValidationError} for what is no JSON. */
export function bytesOf(events: readonly unknown[]): number {
  return encode(events, "events", EVENTS_DEPTH).bytes;
}

/** What one event adds to `bytesOf` its commit at most; from the bytes of its payload, because to encode it again costs more. */
export function mostBytesOf(name: string, payloadBytes: number): number {
  return payloadBytes + (jsonBytes(name) ?? 0) + EVENT_OVERHEAD;
}
