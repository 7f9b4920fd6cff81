import { add, added, command, type HttpCase, ORIGIN, type Sent } from "./http-case.ts";

const PREFLIGHT = { "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" };
const NONE = {
  "access-control-allow-origin": null,
  "access-control-allow-methods": null,
  "access-control-allow-headers": null,
  "access-control-allow-credentials": null,
  "access-control-expose-headers": null,
};
const ALLOWED = {
  "access-control-allow-origin": ORIGIN,
  "access-control-allow-credentials": null,
  "access-control-expose-headers": "ETag,Retry-After",
  vary: /origin/i,
};

function preflight(path: string, origin: string): Sent {
  return { method: "OPTIONS", path, as: null, headers: { origin, ...PREFLIGHT } };
}

/** What pages of listed origins may do, and that those of others may not. */
export const CROSS_ORIGIN_CASES: readonly HttpCase[] = [
  ...["/commands/AddNumbers", "/views/totals", "/aggregates/loans/l1", "/no/such/route"].map(
    (path): HttpCase => ({
      title: `answers the preflight of a listed origin for ${path}, without a token`,
      steps: [
        {
          send: preflight(path, ORIGIN),
          expect: {
            status: 204,
            headers: {
              ...ALLOWED,
              "access-control-allow-methods": "GET,HEAD,POST",
              "access-control-allow-headers": /(?=.*authorization)(?=.*idempotency-key)(?=.*if-match)(?=.*if-none-match)/i,
              "access-control-max-age": "7200",
              "content-type": null,
            },
            body: undefined,
          },
        },
      ],
    }),
  ),
  ...[
    "https://evil.example",
    "http://app.example",
    "https://app.example:444",
    "https://app.example.evil.example",
    "null",
    "*",
  ].map(
    (origin): HttpCase => ({
      title: `gives the origin ${origin} no leave`,
      steps: [
        {
          send: preflight("/commands/AddNumbers", origin),
          expect: { status: 405, headers: NONE, problem: { code: "method_not_allowed", detail: /POST/ } },
        },
        {
          send: { path: "/healthz", headers: { origin } },
          expect: { status: 200, headers: { ...NONE, vary: /origin/i }, body: { status: "ok" } },
        },
      ],
    }),
  ),
  {
    title: "lets a page of a listed origin read answers and problems",
    steps: [
      { send: add("cors-1", 1, { origin: ORIGIN }), expect: { status: 200, headers: ALLOWED, body: added("cors-1", 0, 1, 3) } },
      {
        send: add("cors-1", 1, { origin: ORIGIN, "if-match": '"7"' }),
        expect: {
          status: 412,
          headers: ALLOWED,
          problem: {
            code: "concurrency",
            detail: /version 0/,
            aggregateType: "summing-calculators",
            aggregateId: "cors-1",
            expected: 7,
            actual: 0,
          },
        },
      },
      {
        send: { path: "/views/totals", as: null, headers: { origin: ORIGIN } },
        expect: { status: 401, headers: ALLOWED, problem: { code: "unauthenticated", detail: /Bearer/ } },
      },
      {
        send: { path: "/no/such/route", headers: { origin: ORIGIN } },
        expect: { status: 404, headers: ALLOWED, problem: { code: "unknown_route", detail: /no such route/ } },
      },
      {
        send: { ...command("AddNumbers", {}, { origin: ORIGIN }), method: "PUT" },
        expect: { status: 405, headers: { ...ALLOWED, allow: "POST" }, problem: { code: "method_not_allowed", detail: /POST/ } },
      },
      {
        send: ([sent]) => ({
          path: "/aggregates/summing-calculators/cors-1",
          headers: { origin: ORIGIN, "if-none-match": sent?.headers.get("etag") ?? "" },
        }),
        expect: { status: 304, headers: { ...ALLOWED, etag: /^"0-/ }, body: undefined },
      },
    ],
  },
  {
    title: "takes OPTIONS without the question of a browser for a wrong method",
    steps: [
      {
        send: { method: "OPTIONS", path: "/views/totals", headers: { origin: ORIGIN } },
        expect: { status: 405, headers: { allow: "GET, HEAD" }, problem: { code: "method_not_allowed", detail: /GET/ } },
      },
    ],
  },
];
