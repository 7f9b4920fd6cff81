import { SignJWT } from "jose";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import type { IEventStore, JsonObject, PositionedCommit } from "../../core/index.ts";
import { app } from "../../functions/app.ts";
import type { AppSetting } from "../../functions/app-setting.ts";
import { bearerAuthenticator, secretVerifier } from "../../functions/auth.ts";
import { type Composition, compose, examples, readAlong } from "../../functions/composition.ts";
import { jsonLog } from "../../functions/log.ts";
import { listen } from "../../functions/server.ts";

/** The secret of every backend in the tests. */
export const SECRET: Uint8Array = new TextEncoder().encode("a secret of the tests, of 32 bytes");

/** Signs a token for somebody of tenant acme, with other claims where they are given; undefined leaves a claim out. */
export async function tokenOf(claims: Readonly<Record<string, unknown>> = {}, secret = SECRET): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { sub: "ada", tenant: "acme", roles: ["manager", "user"], iat: now, exp: now + 600, ...claims };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(given).setProtectedHeader({ alg: "HS256" }).sign(secret);
}

/** The members that answers and problems may have: a test asks for those that it expects. */
export interface AnswerBody {
  readonly aggregateId: string;
  readonly version: number;
  readonly position: number;
  readonly commitId: string;
  readonly state: { readonly sum: number };
  readonly commits: readonly Omit<PositionedCommit, "tenant">[];
  readonly next?: number;
  readonly views: readonly { readonly id: string; readonly value: JsonObject }[];
  readonly id: string;
  readonly value: JsonObject;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string;
  readonly tenantStatus: string;
}

/** What came back from a request. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AnswerBody;
}

/** The backend in this process, on a real port, with its readers. */
export interface Backend {
  readonly store: IEventStore;
  readonly url: string;
  /** The lines of the log, parsed. */
  readonly lines: Record<string, unknown>[];
  /** Sends a request as ada of acme, or with another token. */
  send(path: string, init?: RequestInit & { readonly token?: string }): Promise<Answer>;
  /** Sends a command as ada of acme. */
  command(name: string, body: unknown, headers?: Readonly<Record<string, string>>, token?: string): Promise<Answer>;
  /** Everything that is stored, of all tenants: what must stay the same when a request is refused. */
  written(): Promise<readonly (readonly [string, readonly PositionedCommit[]])[]>;
  close(): Promise<void>;
}

/** Starts a backend on a memory store. */
export async function startBackend(
  setting: Partial<AppSetting> & { readonly composition?: Composition; readonly store?: IEventStore } = {},
): Promise<Backend> {
  const store = setting.store ?? new MemoryEventStore();
  const service = compose(store, setting.composition ?? examples);
  const lines: Record<string, unknown>[] = [];
  const log = jsonLog((line) => lines.push(JSON.parse(line)));
  const authenticate = bearerAuthenticator(await secretVerifier(SECRET));
  const { fetch: answer } = app({ service, authenticate, log, ...setting });
  const server = await listen(answer, { host: "127.0.0.1", port: 0, log });
  const stop = new AbortController();
  const reading = readAlong(service, stop.signal);
  const ada = await tokenOf();
  const send: Backend["send"] = async (path, { token = ada, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization") && token !== "") headers.set("authorization", `Bearer ${token}`);
    return answerOf(await fetch(`${server.url}${path}`, { ...init, headers }));
  };
  return {
    store,
    url: server.url,
    lines,
    send,
    command: (name, body, headers = {}, token = ada) =>
      send(`/commands/${name}`, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
        token,
      }),
    written: () => everythingIn(store),
    close: async () => {
      await server.stop(1_000);
      stop.abort();
      await reading;
      await store.close();
    },
  };
}

/** Reads an answer whole. */
async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}

/** Everything that a store holds, of all tenants. */
export async function everythingIn(store: IEventStore) {
  const { tenants } = await store.tenants({ limit: 1_000 });
  const all: [string, readonly PositionedCommit[]][] = [];
  for (const { tenant } of tenants) all.push([tenant, (await store.read(tenant, 0, 1_000)).commits]);
  return all;
}
