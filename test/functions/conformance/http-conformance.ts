import { expect } from "chai";
import { MemoryEventStore } from "../../../adapters/memory/index.ts";
import type { IEventStore } from "../../../core/index.ts";
import type { AppSetting } from "../../../functions/app-setting.ts";
import { type Answer, everythingIn } from "../../support/functions-backend.ts";
import { HTTP_CASES } from "./cases.ts";
import type { Expected, Sent, Step } from "./http-case.ts";
import { bareHost, type HttpHost, type OpenedHost, openHost } from "./http-host.ts";
import { comparable, settled } from "./settled.ts";

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
    let host: OpenedHost;
    let bare: OpenedHost;
    before(async () => {
      host = await openHost(await store(), open);
      bare = await openHost(new MemoryEventStore(), bareHost);
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
