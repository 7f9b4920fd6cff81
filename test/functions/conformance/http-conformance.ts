import { expect } from "chai";
import { MemoryEventStore } from "../../../adapters/memory/index.ts";
import type { IEventStore } from "../../../core/index.ts";
import { app } from "../../../functions/app.ts";
import type { AppSetting } from "../../../functions/app-setting.ts";
import { bearerAuthenticator, secretVerifier } from "../../../functions/auth.ts";
import { compose, examples, readAlong } from "../../../functions/composition.ts";
import { type Answer, everythingIn, SECRET, tokenOf } from "../../support/functions-backend.ts";
import { HTTP_CASES } from "./cases.ts";
import { type Expected, PEOPLE, type Sent, type Step } from "./http-case.ts";
import { comparable, settled } from "./settled.ts";

/** An application at home somewhere: a server, a cloud function, a Lambda handler. */
export interface HttpHost {
  /** The URL of the request is `http://host/…`: whoever sends it on keeps path, query, method, headers and body as they are. */
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Where the list keeps what it writes; the default is a store in memory. */
export interface ConformanceOptions {
  readonly store?: () => Promise<IEventStore>;
}

/**
 * Runs the list of HTTP cases against a host, and each case beside it against the bare application: both must answer the same, in status,
 * body and every header but those of the connection.
 *
 * `open` must serve `app(setting)`, with this very setting; the list itself runs the readers and closes the store.
 */
export function httpConformance(
  name: string,
  open: (setting: AppSetting) => Promise<HttpHost>,
  { store = async () => new MemoryEventStore() }: ConformanceOptions = {},
): void {
  describe(`${name} answers as the application does`, () => {
    let host: Opened;
    let bare: Opened;
    before(async () => {
      host = await opened(await store(), open);
      bare = await opened(new MemoryEventStore(), async (setting) => {
        const router = app(setting);
        return { fetch: async (request) => router.fetch(request), close: async () => {} };
      });
    });
    after(() => Promise.all([host.close(), bare.close()]));

    it("has at least eighty cases to show it", () => {
      expect(HTTP_CASES.length).to.be.least(80);
      expect(new Set(HTTP_CASES.map(({ title }) => title)).size, "titles").to.equal(HTTP_CASES.length);
    });

    for (const { title, steps } of HTTP_CASES) {
      it(title, async () => {
        const seen: Answer[] = [];
        const oracle: Answer[] = [];
        for (const { send, expect: expected } of steps) {
          const before = expected.status >= 400 ? await everythingIn(host.store) : undefined;
          const [answer, right] = await Promise.all([host.send(sentAfter(seen, send)), bare.send(sentAfter(oracle, send))]);
          check(answer, expected);
          if (before !== undefined) expect(await everythingIn(host.store), "what is stored").to.deep.equal(before);
          expect(comparable(answer), "as the bare application answers").to.deep.equal(comparable(right));
          seen.push(answer);
          oracle.push(right);
        }
      });
    }
  });
}

function sentAfter(earlier: readonly Answer[], send: Step["send"]): Sent {
  return typeof send === "function" ? send(earlier) : send;
}

/** What every host of the list serves: the example domains, behind the tokens of the tests, with little patience. */
export async function conformanceSetting(store: IEventStore): Promise<AppSetting> {
  return {
    service: compose(store, examples),
    authenticate: bearerAuthenticator(await secretVerifier(SECRET)),
    patience: PATIENCE,
  };
}

/** How long a request waits for a view that does not come, in ms; readers find a new tenant within about one second. */
const PATIENCE = 3_000;

interface Opened {
  readonly store: IEventStore;
  send(sent: Sent): Promise<Answer>;
  close(): Promise<void>;
}

async function opened(store: IEventStore, open: (setting: AppSetting) => Promise<HttpHost>): Promise<Opened> {
  const setting = await conformanceSetting(store);
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

function check(answer: Answer, { status, headers = {}, body, problem }: Expected): void {
  expect(answer.status, JSON.stringify(answer.body)).to.equal(status);
  for (const [name, value] of Object.entries(headers)) {
    if (value instanceof RegExp) expect(answer.headers.get(name), name).to.match(value);
    else expect(answer.headers.get(name), name).to.equal(value);
  }
  if (problem === undefined) {
    expect(settled(answer.body)).to.deep.equal(body);
    return;
  }
  expect(answer.headers.get("content-type")).to.equal("application/problem+json");
  expect(answer.headers.get("cache-control")).to.equal("no-store");
  const { detail, ...facts } = problem;
  const { title, detail: told, ...rest } = settled(answer.body) as Record<string, unknown>;
  expect(title).to.be.a("string");
  expect(told).to.match(detail);
  expect(rest).to.deep.equal({ status, ...facts });
}
