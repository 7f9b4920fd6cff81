import { command, type HttpCase, refusal } from "./http-case.ts";

const ADD = { aggregateId: "bad-bodies", number1: 1, number2: 2 };
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

function refused(
  title: string,
  body: unknown,
  status: number,
  code: string,
  detail: RegExp,
  facts: Readonly<Record<string, unknown>> = {},
  name = "AddNumbers",
): HttpCase {
  return refusal(`refuses ${title}`, command(name, body), status, code, detail, facts);
}

/** A text in place of the object of a payload, as JSON would be. */
const raw = (fields: string): string => `{"aggregateId":"bad-bodies",${fields}}`;

function withHeader(
  title: string,
  headers: Readonly<Record<string, string>>,
  status: number,
  code: string,
  detail: RegExp,
): HttpCase {
  return refusal(`refuses ${title}`, command("AddNumbers", ADD, headers), status, code, detail);
}

const UNKNOWN_COMMANDS = [
  "NoSuchCommand",
  "constructor",
  "toString",
  "__proto__",
  "hasOwnProperty",
  "valueOf",
  "addnumbers",
  "NumbersAdded",
  "%2e%2e%2f",
  "a%00b",
];
const OTHER_TYPES = [
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/jsonp",
  "application/json; charset=latin1",
];

/** Commands that are none, and bodies, payloads, versions and headers that no command may have. */
export const BAD_BODY_CASES: readonly HttpCase[] = [
  ...UNKNOWN_COMMANDS.map((name) =>
    refused(`the command ${name}`, ADD, 404, "not_found", /^command [\s\S]* was not found/, {}, name),
  ),
  refused("a command that is not well encoded", ADD, 400, "invalid_argument", /command/, {}, "%ff"),
  // Bodies.
  refused("an empty body", "", 400, "malformed", /not JSON/),
  refused("a body cut short", '{"aggregateId":"bad-bodies"', 400, "malformed", /not JSON/),
  refused("NaN in a body", raw('"number1":NaN,"number2":2'), 400, "malformed", /not JSON/),
  refused("a BigInt literal in a body", raw('"number1":1n,"number2":2'), 400, "malformed", /not JSON/),
  refused("single quotes in a body", "{'aggregateId':'bad-bodies'}", 400, "malformed", /not JSON/),
  refused("a body that is not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, "malformed", /UTF-8/),
  refused("a body of 2 MiB", { ...ADD, text: "x".repeat(2 * 1024 * 1024) }, 413, "payload_too_large", /1048576 bytes/),
  ...["null", "[]", "7", '"text"', "true"].map((body) =>
    refused(`the body ${body}`, body, 400, "validation", /not an object/, { path: "" }),
  ),
  // Payloads.
  refused("a payload of Infinity", raw('"number1":1e999,"number2":2'), 400, "validation", /number1/, { path: "payload.number1" }),
  refused("a payload with __proto__", raw('"number1":1,"__proto__":{"x":1}'), 400, "validation", /__proto__/, {
    path: "payload.__proto__",
  }),
  refused("a payload with a lone surrogate", raw('"x":"\\ud800"'), 400, "validation", /surrogate/, { path: "payload.x" }),
  refused("a date where a number belongs", { ...ADD, number1: new Date(0) }, 400, "validation", /number1/, {
    path: "payload.number1",
  }),
  refused("a text where a number belongs", { ...ADD, number1: "1" }, 400, "validation", /number1/, { path: "payload.number1" }),
  refused("a payload without its fields", { aggregateId: "bad-bodies" }, 400, "validation", /number1/, {
    path: "payload.number1",
  }),
  refused("a value deep in a payload, by its path", raw('"x":{"y":[1,1e999]}'), 400, "validation", /y/, {
    path: "payload.x.y.1",
  }),
  refused("a payload of 300 KiB", { ...ADD, text: "x".repeat(300 * 1024) }, 400, "validation", /payload.*bytes/, {
    path: "payload",
  }),
  refused("a number that is too large to be kept", raw('"number1":9007199254740993'), 400, "validation", /send it as a string/, {
    path: "number1",
  }),
  refused("a number of 400 digits", raw(`"number1":${"9".repeat(400)}`), 400, "validation", /send it as a string/, {
    path: "number1",
  }),
  ...[100, 100_000].map((depth) => ({
    ...refused(`a payload of depth ${depth + 1}`, raw(`"x":${nested(depth)}`), 400, "validation", /depth|deep/, {
      path: `payload.x${".a".repeat(99)}`,
    }),
  })),
  // Addresses and versions.
  ...[-2, 1.5, "0", null, true, 2 ** 53, [], {}].map((expectedVersion) =>
    refused(
      `expectedVersion ${JSON.stringify(expectedVersion)}`,
      { ...ADD, expectedVersion },
      400,
      "invalid_argument",
      /expectedVersion/,
    ),
  ),
  refused("expectedVersion without aggregateId", { number1: 1, expectedVersion: 0 }, 400, "missing_argument", /aggregateId/),
  ...[null, 7, [], {}, true].map((aggregateId) =>
    refused(`aggregateId ${JSON.stringify(aggregateId)}`, { ...ADD, aggregateId }, 400, "invalid_argument", /aggregateId/),
  ),
  refused("a command that the state does not allow", { aggregateId: "none" }, 422, "precondition", /is NEW/, {}, "ApproveLoan"),
  // Headers.
  ...["", "é", "x".repeat(257)].map((key) =>
    withHeader(
      `an Idempotency-Key of ${key.length} characters, ${JSON.stringify(key.slice(0, 5))}`,
      { "idempotency-key": key },
      400,
      "invalid_argument",
      /Idempotency-Key/,
    ),
  ),
  withHeader(
    "an X-Correlation-Id that is too long",
    { "x-correlation-id": "x".repeat(257) },
    400,
    "invalid_argument",
    /X-Correlation-Id/,
  ),
  ...OTHER_TYPES.map((type) =>
    withHeader(`the content type ${type}`, { "content-type": type }, 415, "unsupported_media_type", /application\/json/),
  ),
  withHeader("a compressed body", { "content-encoding": "gzip" }, 415, "unsupported_media_type", /uncompressed/),
];
