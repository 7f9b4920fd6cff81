import type { IEventStore } from "../../../core/index.ts";
import { app } from "../../../functions/app.ts";
import type { AppSetting } from "../../../functions/app-setting.ts";
import { bearerAuthenticator, secretVerifier } from "../../../functions/auth.ts";
import { compose, examples, readAlong } from "../../../functions/composition.ts";
import { type Answer, SECRET, tokenOf } from "../../support/functions-backend.ts";
import { ORIGIN, PEOPLE, type Sent } from "./http-case.ts";

/** An application at home somewhere: a server, a cloud function, a Lambda handler. */
export interface HttpHost {
  /** The URL of the request is `http://host/…`: whoever sends it on keeps path, query, method, headers and body as they are. */
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** What every host of the list serves: the example domains, behind the tokens of the tests, with little patience. */
async function conformanceSetting(store: IEventStore): Promise<AppSetting> {
  return {
    service: compose(store, examples),
    authenticate: bearerAuthenticator(await secretVerifier(SECRET)),
    patience: PATIENCE,
    origins: [ORIGIN],
  };
}

/** The bare application, as a function from request to response. */
export async function bareHost(setting: AppSetting): Promise<HttpHost> {
  const router = app(setting);
  return { fetch: async (request) => router.fetch(request), close: async () => {} };
}

/** How long a request waits for a view that does not come, in ms; readers find a new tenant within about one second. */
const PATIENCE = 3_000;

/** A host that is open, with its readers and its store. */
export interface OpenedHost {
  readonly store: IEventStore;
  send(sent: Sent): Promise<Answer>;
  close(): Promise<void>;
}

/** Opens a host of the example domains on a store, and keeps the readers going; `more` are settings of a test of its own. */
export async function openHost(
  store: IEventStore,
  open: (setting: AppSetting) => Promise<HttpHost>,
  more: Partial<AppSetting> = {},
): Promise<OpenedHost> {
  const setting = { ...(await conformanceSetting(store)), ...more };
  const host = await open(setting);
  const stop = new AbortController();
  const reading = readAlong(setting.service, stop.signal);
  const tokens = new Map<string, string>();
  for (const [person, claims] of Object.entries(PEOPLE)) tokens.set(person, await tokenOf(claims));
  return {
    store,
    send: async ({ method = "GET", path, headers: given = {}, body, as = "ada" }) => {
      const headers = new Headers(given);
      const token = typeof as === "function" ? await as() : as === null ? undefined : tokens.get(as);
      if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
      const isRaw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
      const init = {
        method,
        headers,
        ...(body !== undefined && { body: (isRaw ? body : JSON.stringify(body)) as NonNullable<RequestInit["body"]> }),
      };
      const response = await host.fetch(new Request(`http://host${path}`, init));
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
    },
    close: async () => {
      await host.close();
      stop.abort();
      await reading;
      await store.close();
    },
  };
}
