import type { Commit, JsonObject, LoadOptions, LoadResult, PositionedCommit } from "../../core/index.ts";

/** One aggregate: its commits by version, and its snapshot in parts, so that a new one replaces them without another object. */
export interface Stream {
  readonly commits: PositionedCommit[];
  state: JsonObject | undefined;
  stateVersion: number;
  stateSchema: number;
}

const NOTHING = Object.freeze({ commits: Object.freeze([]), cost: Object.freeze({ reads: 1, writes: 0 }) });

/** What `load` answers for a stream. Linear in the commits that it returns. */
export function loadFrom(stream: Stream | undefined, options: LoadOptions | undefined): Omit<LoadResult, "life"> {
  if (stream === undefined) return NOTHING;
  const { commits, state, stateVersion, stateSchema } = stream;
  const usesSnapshot = state !== undefined && options?.after === undefined && options?.upTo === undefined;
  const snapshot = usesSnapshot && Object.freeze({ version: stateVersion, schema: stateSchema, state });
  const first = usesSnapshot ? stateVersion + 1 : (options?.after ?? -1) + 1;
  const end = Math.min(commits.length, (options?.upTo ?? Infinity) + 1, first + (options?.limit ?? Infinity));
  const found = Object.freeze(commits.slice(first, end).map(withoutPosition));
  const reads = Math.max(1, found.length + (usesSnapshot ? 1 : 0));
  return { ...(snapshot && { snapshot }), commits: found, cost: { reads, writes: 0 } };
}

function withoutPosition(positioned: PositionedCommit): Commit {
  const { position: _, ...commit } = positioned;
  return Object.freeze(commit);
}
