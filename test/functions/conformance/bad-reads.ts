import { type HttpCase, refusal } from "./http-case.ts";

const CALCULATORS = "/aggregates/summing-calculators";

function get(
  path: string,
  status: number,
  code: string,
  detail: RegExp,
  facts: Readonly<Record<string, unknown>> = {},
): HttpCase {
  return refusal(
    `refuses GET ${path}`,
    { path, as: path.startsWith("/events") ? "auditor" : "ada" },
    status,
    code,
    detail,
    facts,
  );
}

function wrongMethod(method: string, path: string, allow: string): HttpCase {
  return {
    title: `refuses ${method} ${path}, and says what is allowed`,
    steps: [
      {
        send: { method, path },
        expect: {
          status: 405,
          headers: { allow },
          problem: { code: "method_not_allowed", detail: new RegExp(allow.split(",")[0] ?? "") },
        },
      },
    ],
  };
}

/** Reads that ask for what there is not, or cannot be. */
export const BAD_READ_CASES: readonly HttpCase[] = [
  ...["0", "-1", "1e9", "1000000000", "1001", "1.5", "ten", "", "0x10", "%20", "1&limit=2"].flatMap((limit) => [
    get(`/views/totals?limit=${limit}`, 400, "invalid_argument", /limit/),
    get(`${CALCULATORS}/calc1/events?limit=${limit}`, 400, "invalid_argument", /limit/),
    get(`/events?limit=${limit}`, 400, "invalid_argument", /limit/),
  ]),
  ...["-2", "x", "1.5"].map((after) => get(`${CALCULATORS}/calc1/events?after=${after}`, 400, "invalid_argument", /after/)),
  ...["-1", "x"].map((after) => get(`/events?after=${after}`, 400, "invalid_argument", /after/)),
  ...["-1", "x", "1.5", ""].map((version) => get(`${CALCULATORS}/calc1?version=${version}`, 400, "invalid_argument", /version/)),
  ...["-1", "x", ""].map((position) => get(`/views/totals?position=${position}`, 400, "invalid_argument", /position/)),
  get(`${CALCULATORS}/unknown?version=7`, 404, "not_found", /version 7/),
  get(`${CALCULATORS}/unknown`, 404, "not_found", /aggregate/),
  get(`${CALCULATORS}/unknown/events`, 404, "not_found", /aggregate/),
  get(CALCULATORS, 400, "missing_argument", /id/),
  get(`${CALCULATORS}?id=a&id=b`, 400, "invalid_argument", /once/),
  get(`${CALCULATORS}/%FF`, 400, "invalid_argument", /percent-encode/),
  get(`${CALCULATORS}/%C0%AF`, 400, "invalid_argument", /percent-encode/),
  get("/views/totals/unknown", 404, "not_found", /view/),
  ...["unknown", "constructor", "__proto__", "toString"].flatMap((name) => [
    get(`/aggregates/${name}/calc1`, 404, "not_found", /aggregate type/),
    get(`/aggregates/${name}/calc1/events`, 404, "not_found", /aggregate type/),
    get(`/views/${name}`, 404, "not_found", /view collection/),
    get(`/views/${name}/calc1`, 404, "not_found", /view collection/),
  ]),
  ...["/", "/commands", "/views/", "/views/totals/calc1/more/and-more", "/aggregates", "/healthz/"].map((path) =>
    get(path, 404, "unknown_route", /no such route/),
  ),
  get("/views/totals?position=999999", 503, "behind", /999999/, { position: "<position>" }),
  wrongMethod("GET", "/commands/AddNumbers", "POST"),
  wrongMethod("PUT", "/commands/AddNumbers", "POST"),
  wrongMethod("DELETE", `${CALCULATORS}/calc1`, "GET, HEAD"),
  wrongMethod("POST", `${CALCULATORS}/calc1`, "GET, HEAD"),
  wrongMethod("PATCH", "/views/totals/calc1", "GET, HEAD"),
  wrongMethod("POST", "/events", "GET, HEAD"),
  wrongMethod("POST", "/healthz", "GET, HEAD"),
  wrongMethod("OPTIONS", "/views/totals", "GET, HEAD"),
];
