import type { AggregateClasses, CommandData, CommandName } from "../../core/index.ts";
import { ClientError } from "./client-error.ts";
import type {
  AggregateAnswer,
  AnyProjections,
  CollectionOf,
  CommandAnswer,
  CommitPage,
  LogPage,
  PathOf,
  StateAfter,
  StateAt,
  ViewAnswer,
  ViewOf,
  ViewPageAnswer,
} from "./inference.ts";
import { type Clock, platformClock, request, type Sending } from "./request.ts";

/** Settings of a client. */
export interface ClientOptions {
  /** The application's base URL, including any path before its routes. */
  readonly url: string;
  /** Called before each attempt, so that it can return a fresh token. */
  readonly token: () => string | Promise<string>;
  readonly fetch?: typeof globalThis.fetch;
  /** How long a call may take with all its attempts, in ms; default 30,000. */
  readonly deadline?: number;
  /** How often a request is sent at most; default 5. */
  readonly attempts?: number;
  readonly clock?: Clock;
}

/** Options of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly deadline?: number;
  /** 1 = send it once. */
  readonly attempts?: number;
}

/** Options of a command. */
export interface CommandCallOptions extends CallOptions {
  /** Default: a new one. Give it to send a command again in another call, after a restart for example: it takes effect once. */
  readonly commandId?: string;
  /** The exact version to act on; -1 = the aggregate must not exist yet; absent = the latest. */
  readonly expectedVersion?: number;
  readonly correlationId?: string;
}

/** Which part of a list to read. */
export interface PageOptions<Place> extends CallOptions {
  readonly after?: Place;
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
}

/** Waits until the views have come to this position. */
interface AtPosition {
  /** The position that a command answered, to see its effect; null (the store cannot tell it) waits for nothing. */
  readonly position?: number | null;
}

/** One collection of views. */
export interface ViewCollection<View> {
  /** Undefined where there is no such view. */
  get(id: string, options?: CallOptions & AtPosition): Promise<View | undefined>;
  list(options?: PageOptions<string> & AtPosition): Promise<ViewPageAnswer<View>>;
}

/**
 * A client of the HTTP application; it knows commands, states and views only from the types of the classes.
 *
 * Each call retries after network errors and answers that allow a retry, with growing, jittered pauses.
 * @throws {ClientError} from each method; or the reason of an aborted signal
 */
export interface Client<C extends AggregateClasses, P extends AnyProjections> {
  /** Sends a command; each attempt has the same commandId, so it takes effect once. An error carries that id. */
  command<Name extends CommandName<C>>(
    name: Name,
    data: CommandData<C, Name>,
    options?: CommandCallOptions,
  ): Promise<CommandAnswer<StateAfter<C, Name>>>;
  /** An aggregate by its class's path, now or as it was after a version; undefined where there is none. */
  aggregate<Path extends PathOf<C>>(
    path: Path,
    id: string,
    options?: CallOptions & { readonly version?: number },
  ): Promise<AggregateAnswer<StateAt<C, Path>> | undefined>;
  /** An aggregate's commits after a version; none where there is no aggregate. */
  history(path: PathOf<C>, id: string, options?: PageOptions<number>): Promise<CommitPage>;
  /** The tenant's log after a position, for auditors. */
  events(options?: PageOptions<number>): Promise<LogPage>;
  views<Name extends CollectionOf<P>>(collection: Name): ViewCollection<ViewOf<P, Name>>;
}

/** Makes a client: `createClient<typeof aggregates, [Totals, Loans]>({ url, token })`, with both imported as types only. */
export function createClient<const C extends AggregateClasses = AggregateClasses, P extends AnyProjections = readonly never[]>(
  options: ClientOptions,
): Client<C, P> {
  const sending: Sending = {
    url: options.url.replace(/\/+$/, ""),
    token: options.token,
    // Called as a function, because browsers refuse a fetch whose `this` is another object.
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    clock: options.clock ?? platformClock,
  };
  const send = <T>(path: string, call: CallOptions = {}, body?: string, headers?: Readonly<Record<string, string>>): Promise<T> =>
    request<T>(sending, {
      path,
      signal: call.signal,
      deadline: call.deadline ?? options.deadline ?? 30_000,
      attempts: call.attempts ?? options.attempts ?? 5,
      ...(body !== undefined && { body }),
      ...(headers !== undefined && { headers }),
    });

  // Ids stand in the query, because clients shorten paths with the ids . and ..
  return {
    command: async (name, data, { commandId = newId(), expectedVersion, correlationId, ...call } = {}) => {
      const body = JSON.stringify(expectedVersion === undefined ? data : { ...data, expectedVersion });
      try {
        return await send(`/commands/${encodeURIComponent(name)}`, call, body, {
          "content-type": "application/json",
          "idempotency-key": commandId,
          ...(correlationId !== undefined && { "x-correlation-id": correlationId }),
        });
      } catch (error) {
        if (error instanceof ClientError) error.commandId = commandId;
        throw error;
      }
    },
    aggregate: (path, id, { version, ...call } = {}) =>
      orUndefined(send(`/aggregates/${typeAt(path)}${query({ id, version })}`, call)),
    history: async (path, id, { after, limit, ...call } = {}) =>
      (await orUndefined(send<CommitPage>(`/aggregates/${typeAt(path)}/events${query({ id, after, limit })}`, call))) ?? {
        commits: [],
      },
    events: ({ after, limit, ...call } = {}) => send(`/events${query({ after, limit })}`, call),
    views: <Name extends CollectionOf<P>>(collection: Name) => {
      const path = `/views/${encodeURIComponent(collection)}`;
      return {
        get: async (id, { position, ...call } = {}) =>
          (await orUndefined(send<ViewAnswer<ViewOf<P, Name>>>(path + query({ id, position }), call)))?.value,
        list: ({ after, limit, position, ...call } = {}) => send(path + query({ after, limit, position }), call),
      };
    },
  };
}

/** Null and undefined are left out; an empty id is sent, to be refused. */
function query(parameters: Readonly<Record<string, string | number | null | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null);
  return given.map(([name, value], index) => `${index === 0 ? "?" : "&"}${name}=${encodeURIComponent(value as string)}`).join("");
}

function typeAt(path: string): string {
  return encodeURIComponent(path.replace(/^\//, ""));
}

/** That something is not there is an answer; an unknown type or collection cannot be told from it. */
async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ClientError && error.code === "not_found") return undefined;
    throw error;
  }
}

/** 128 random bits; not `randomUUID`, which pages without TLS do not have. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
