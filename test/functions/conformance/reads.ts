import { add, added, type HttpCase, type Step } from "./http-case.ts";

const CALCULATORS = "/aggregates/summing-calculators";
const ok = (body: unknown) => ({
  status: 200,
  headers: { "content-type": "application/json", "cache-control": "no-store" },
  body,
});

/** Adds 1, 10 and 100 to a calculator, each with the 2 of every addition. */
function three(id: string): readonly Step[] {
  return [
    { send: add(id, 1), expect: ok(added(id, 0, 1, 3)) },
    { send: add(id, 10), expect: ok(added(id, 1, 10, 15)) },
    { send: add(id, 100), expect: ok(added(id, 2, 100, 117)) },
  ];
}

function commitOf(id: string, version: number, number1: number): Record<string, unknown> {
  return {
    type: "summing-calculators",
    id,
    version,
    commitId: "<commitId>",
    at: "<at>",
    actor: { id: "ada", name: "ada" },
    command: "AddNumbers",
    events: [{ name: "NumbersAdded", payload: { number1, number2: 2 }, schemaVersion: 0 }],
  };
}

const total = (id: string) => ({ id, value: { sum: 3, steps: 1 } });

/** What aggregates, histories, views and the log answer. */
export const READ_CASES: readonly HttpCase[] = [
  {
    title: "says that it lives, to anybody",
    steps: [
      { send: { path: "/healthz", as: null }, expect: ok({ status: "ok" }) },
      { send: { method: "HEAD", path: "/healthz", as: null }, expect: ok(undefined) },
    ],
  },
  {
    title: "describes itself to anybody, once",
    steps: [
      { send: { method: "HEAD", path: "/openapi.json", as: null }, expect: ok(undefined) },
      {
        send: ([seen]) => ({ path: "/openapi.json", as: null, headers: { "if-none-match": seen?.headers.get("etag") ?? "" } }),
        expect: { status: 304, body: undefined },
      },
    ],
  },
  {
    title: "travels in time",
    steps: [
      ...three("read-1"),
      ...[3, 15, 117].map((sum, version) => ({
        send: { path: `${CALCULATORS}/read-1?version=${version}` },
        expect: ok({ aggregateId: "read-1", version, state: { sum } }),
      })),
      { send: { path: `${CALCULATORS}/read-1` }, expect: ok({ aggregateId: "read-1", version: 2, state: { sum: 117 } }) },
      { send: { method: "HEAD", path: `${CALCULATORS}/read-1` }, expect: ok(undefined) },
    ],
  },
  {
    title: "pages through an aggregate's history",
    steps: [
      ...three("read-2"),
      {
        send: { path: `${CALCULATORS}/read-2/events?limit=2` },
        expect: ok({ commits: [commitOf("read-2", 0, 1), commitOf("read-2", 1, 10)], next: 1 }),
      },
      { send: { path: `${CALCULATORS}/read-2/events?after=1&limit=2` }, expect: ok({ commits: [commitOf("read-2", 2, 100)] }) },
      { send: { path: `${CALCULATORS}/events?id=read-2&after=2` }, expect: ok({ commits: [] }) },
    ],
  },
  {
    title: "reads the sender's own write",
    steps: [
      ...three("read-3"),
      {
        send: (earlier) => ({ path: `/views/totals/read-3?position=${earlier.at(-1)?.body.position}` }),
        expect: ok({ id: "read-3", value: { sum: 117, steps: 3 } }),
      },
    ],
  },
  {
    title: "pages through views",
    steps: [
      ...["a", "b", "c"].map((id) => ({ send: add(id, 1, {}, "lister"), expect: ok(added(id, 0, 1, 3)) })),
      {
        send: (earlier) => ({ path: `/views/totals?limit=2&position=${earlier.at(-1)?.body.position}`, as: "lister" }),
        expect: ok({ views: [total("a"), total("b")], next: "b" }),
      },
      { send: { path: "/views/totals?limit=2&after=b", as: "lister" }, expect: ok({ views: [total("c")] }) },
    ],
  },
  {
    title: "reads the tenant's log, for auditors",
    steps: [
      { send: add("read-4", 1, { "x-correlation-id": "c-4" }, "twin"), expect: ok(added("read-4", 0, 1, 3)) },
      {
        send: ([sent]) => ({ path: `/events?after=${(sent?.body.position ?? 0) - 1}&limit=1`, as: "twin" }),
        expect: ok({ commits: [{ ...commitOf("read-4", 0, 1), correlationId: "c-4", position: "<position>" }], next: "<next>" }),
      },
      {
        send: ([sent]) => ({ path: `/events?after=${sent?.body.position}`, as: "twin" }),
        expect: ok({ commits: [], next: "<next>" }),
      },
    ],
  },
  {
    title: "keeps the log from members, and views from whom their projection does not declare",
    steps: [
      { send: { path: "/events" }, expect: { status: 403, problem: { code: "authorization", detail: /auditor/ } } },
      ...["/views/loans", "/views/loans/loan1", "/views/accounts?position=1"].map((path) => ({
        send: { path, as: "guest" as const },
        expect: { status: 403, problem: { code: "authorization", detail: /readers/ } },
      })),
      { send: { path: "/views/loans?limit=1", as: "bob" }, expect: ok({ views: [] }) },
      { send: { path: "/views/posts?after=zzz", as: "guest" }, expect: ok({ views: [] }) },
    ],
  },
  {
    title: "shows an aggregate to its readers and to who may send its commands, and its history to auditors too",
    steps: [
      ...three("read-6"),
      ...["/read-6", "/read-6?version=0", "?id=read-6", "/read-6/events", "/unknown"].map((path) => ({
        send: { path: `${CALCULATORS}${path}`, as: "guest" as const },
        expect: { status: 403, problem: { code: "authorization", detail: /gus may not read.*\/summing-calculators / } },
      })),
      {
        send: { path: `${CALCULATORS}/read-6`, as: "bob" },
        expect: ok({ aggregateId: "read-6", version: 2, state: { sum: 117 } }),
      },
      {
        send: { path: `${CALCULATORS}/read-6/events?after=1`, as: "auditor" },
        expect: ok({ commits: [commitOf("read-6", 2, 100)] }),
      },
      {
        send: { path: `${CALCULATORS}/read-6`, as: "auditor" },
        expect: { status: 403, problem: { code: "authorization", detail: /olga may not read/ } },
      },
      {
        send: { path: "/aggregates/key-press-calculators/unknown", as: "guest" },
        expect: { status: 404, problem: { code: "not_found", detail: /^the aggregate was not found: check its id$/ } },
      },
    ],
  },
  {
    title: "shows nothing of one tenant to another",
    steps: [
      ...three("read-5"),
      ...[`${CALCULATORS}/read-5`, `${CALCULATORS}/read-5/events`, "/views/totals/read-5"].map((path) => ({
        send: { path, as: "twin" as const },
        expect: { status: 404, problem: { code: "not_found", detail: /was not found: check its id$/ } },
      })),
    ],
  },
];
