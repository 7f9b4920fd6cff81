import type { Answer } from "../../support/functions-backend.ts";
import { add, added, command, type Expected, type HttpCase, type Step } from "./http-case.ts";

const CALCULATORS = "/aggregates/summing-calculators";

function stale(aggregateId: string, expected: number, actual: number): Expected {
  return {
    status: 412,
    headers: { etag: null },
    problem: {
      code: "concurrency",
      detail: /is at version -?\d+, not at the expected/,
      aggregateType: "summing-calculators",
      aggregateId,
      expected,
      actual,
    },
  };
}

function otherState(aggregateId: string, version: number): Expected {
  const facts = { aggregateType: "summing-calculators", aggregateId, expected: version, actual: version };
  return { status: 412, headers: { etag: null }, problem: { code: "concurrency", detail: /in another state/, ...facts } };
}

function wrongHeader(headers: Readonly<Record<string, string>>, detail: RegExp): HttpCase {
  return {
    title: `refuses a command with ${JSON.stringify(headers)}`,
    steps: [{ send: add("pre-bad", 1, headers), expect: { status: 400, problem: { code: "invalid_argument", detail } } }],
  };
}

/** The tag of a version: which state it names differs from case to case. */
const tagOf = (version: number): RegExp => new RegExp(`^"${version}-[0-9a-f]{12}"$`);

/** The tags that the answers to a case's first commands carried. */
const tagsOf = (earlier: readonly Answer[]): readonly string[] => earlier.map(({ headers }) => headers.get("etag") ?? "");

function unchanged(path: string, tag: (earlier: readonly string[]) => string): Step {
  return {
    send: (earlier) => ({ path, headers: { "if-none-match": tag(tagsOf(earlier)) } }),
    expect: { status: 304, headers: { etag: /^"/, "cache-control": "no-store", "content-type": null }, body: undefined },
  };
}

const read = (id: string, version: number, sum: number, headers: Readonly<Record<string, string>> = {}, query = ""): Step => ({
  send: { path: `${CALCULATORS}/${id}${query}`, headers },
  expect: { status: 200, headers: { etag: tagOf(version) }, body: { aggregateId: id, version, state: { sum } } },
});

/** ETags: what they are, what they save, and what they guard. */
export const PRECONDITION_CASES: readonly HttpCase[] = [
  {
    title: "tags an aggregate with its version and state, and answers 304 to whoever has it",
    steps: [
      { send: add("pre-1"), expect: { status: 200, headers: { etag: tagOf(0) }, body: added("pre-1", 0, 1, 3) } },
      { send: add("pre-1"), expect: { status: 200, headers: { etag: tagOf(1) }, body: added("pre-1", 1, 1, 6) } },
      read("pre-1", 1, 6),
      read("pre-1", 0, 3, {}, "?version=0"),
      unchanged(`${CALCULATORS}/pre-1`, ([, now]) => `${now}`),
      unchanged(`${CALCULATORS}/pre-1`, ([, now]) => `W/${now}`),
      unchanged(`${CALCULATORS}/pre-1`, ([before, now]) => `${before}, ${now}`),
      unchanged(`${CALCULATORS}/pre-1`, ([before, now]) => `${before},W/${now}`),
      unchanged(`${CALCULATORS}/pre-1`, () => "*"),
      unchanged(`${CALCULATORS}/pre-1?version=0`, ([before]) => `${before}`),
      ...['"0"', '"1"', "1", '"1-000000000000"', '"11"', 'W/"0"', '"', ""].map((tag) =>
        read("pre-1", 1, 6, { "if-none-match": tag }),
      ),
    ],
  },
  {
    title: "tags a view and a page of views with a digest",
    steps: [
      { send: add("pre-2", 1, {}, "lister"), expect: { status: 200, body: added("pre-2", 0, 1, 3) } },
      ...["/views/totals/pre-2", "/views/totals?after=pre-1&limit=1"].flatMap((path, index): Step[] => {
        const value = { id: "pre-2", value: { sum: 3, steps: 1 } };
        const at = path.includes("?") ? "&" : "?";
        return [
          {
            send: ([sent]) => ({ path: `${path}${at}position=${sent?.body.position}`, as: "lister" }),
            expect: { status: 200, headers: { etag: /^"[\w-]{20}"$/ }, body: index === 0 ? value : { views: [value] } },
          },
          {
            send: (earlier) => ({ path, as: "lister", headers: { "if-none-match": earlier.at(-1)?.headers.get("etag") ?? "" } }),
            expect: { status: 304, headers: { etag: /^"[\w-]{20}"$/ }, body: undefined },
          },
        ];
      }),
      {
        send: (earlier) => ({
          path: "/views/totals/a",
          as: "lister",
          headers: { "if-none-match": earlier[1]?.headers.get("etag") ?? "" },
        }),
        expect: { status: 200, body: { id: "a", value: { sum: 3, steps: 1 } } },
      },
    ],
  },
  {
    title: "carries a command out only upon the version of If-Match",
    steps: [
      { send: add("pre-3"), expect: { status: 200, body: added("pre-3", 0, 1, 3) } },
      {
        send: ([sent]) => add("pre-3", 1, { "if-match": sent?.headers.get("etag") ?? "" }),
        expect: { status: 200, headers: { etag: tagOf(1) }, body: added("pre-3", 1, 1, 6) },
      },
      {
        send: ([sent]) => add("pre-3", 1, { "if-match": sent?.headers.get("etag") ?? "" }),
        expect: stale("pre-3", 0, 1),
      },
      { send: add("pre-3", 1, { "if-match": '"1-000000000000"' }), expect: otherState("pre-3", 1) },
      { send: add("pre-3", 1, { "if-match": '"1"' }), expect: { status: 200, body: added("pre-3", 2, 1, 9) } },
      { send: add("pre-3", 1, { "if-match": '"1"' }), expect: stale("pre-3", 1, 2) },
      { send: add("pre-3", 1, { "if-match": '"7-000000000000"' }), expect: stale("pre-3", 7, 2) },
      { send: add("pre-none", 1, { "if-match": '"0"' }), expect: stale("pre-none", 0, -1) },
    ],
  },
  {
    title: "makes an aggregate only where there is none, with If-None-Match: *",
    steps: [
      { send: add("pre-4", 1, { "if-none-match": "*" }), expect: { status: 200, body: added("pre-4", 0, 1, 3) } },
      { send: add("pre-4", 1, { "if-none-match": "*" }), expect: stale("pre-4", -1, 0) },
    ],
  },
  {
    title: "takes the same version in header and body, and answers as the header asks",
    steps: [
      { send: add("pre-5"), expect: { status: 200, body: added("pre-5", 0, 1, 3) } },
      {
        send: command("AddNumbers", { aggregateId: "pre-5", number1: 1, number2: 2, expectedVersion: 0 }, { "if-match": '"0"' }),
        expect: { status: 200, body: added("pre-5", 1, 1, 6) },
      },
      {
        send: command("AddNumbers", { aggregateId: "pre-5", number1: 1, number2: 2, expectedVersion: 0 }, { "if-match": '"0"' }),
        expect: stale("pre-5", 0, 1),
      },
      {
        send: command("AddNumbers", { aggregateId: "pre-5", number1: 1, number2: 2, expectedVersion: 1 }, { "if-match": '"0"' }),
        expect: { status: 400, problem: { code: "invalid_argument", detail: /expectedVersion.*give only one/ } },
      },
    ],
  },
  {
    title: "replays a resend whose If-Match has become stale",
    steps: [
      { send: add("pre-6"), expect: { status: 200, body: added("pre-6", 0, 1, 3) } },
      {
        send: ([sent]) => add("pre-6", 1, { "if-match": sent?.headers.get("etag") ?? "", "idempotency-key": "pre-6" }),
        expect: { status: 200, body: added("pre-6", 1, 1, 6) },
      },
      { send: add("pre-6", 9), expect: { status: 200, body: added("pre-6", 2, 9, 17) } },
      {
        send: ([sent]) => add("pre-6", 1, { "if-match": sent?.headers.get("etag") ?? "", "idempotency-key": "pre-6" }),
        expect: { status: 200, headers: { etag: tagOf(1) }, body: { ...added("pre-6", 1, 1, 6), replayed: true } },
      },
    ],
  },
  {
    title: "asks for the aggregate that If-Match is about",
    steps: [
      {
        send: command("AddNumbers", { number1: 1, number2: 2 }, { "if-match": '"0"' }),
        expect: { status: 400, problem: { code: "missing_argument", detail: /aggregateId/ } },
      },
    ],
  },
  ...["*", 'W/"0"', '"0", "1"', "0", '""', '"-1"', '"01"', '"1.5"', '"9007199254740993"', "", '"x"', '"0-0"', '"0-"'].map((tag) =>
    wrongHeader({ "if-match": tag }, /If-Match/),
  ),
  ...['"0"', "", "**"].map((tag) => wrongHeader({ "if-none-match": tag }, /If-None-Match.*\* only/)),
  wrongHeader({ "if-match": '"0"', "if-none-match": "*" }, /either/),
];
