import { add, added, command, type HttpCase, refusal } from "./http-case.ts";

const JSON_HEADERS = { "content-type": "application/json", "cache-control": "no-store" };
const ok = (body: unknown) => ({ status: 200, body });
const key = (id: string) => ({ "idempotency-key": id });

/** What commands answer: their effect, conflicts, refusals, and resends. */
export const COMMAND_CASES: readonly HttpCase[] = [
  {
    title: "answers a command with what became of it",
    steps: [{ send: add("cmd-1"), expect: { status: 200, headers: JSON_HEADERS, body: added("cmd-1", 0, 1, 3) } }],
  },
  {
    title: "makes an id where the sender gives none",
    steps: [{ send: command("AddNumbers", { number1: 1, number2: 2 }), expect: ok(added("<id>", 0, 1, 3)) }],
  },
  {
    title: "counts the versions of one aggregate",
    steps: [0, 1, 2].map((version) => ({
      send: add("cmd-2", version),
      expect: ok(added("cmd-2", version, version, [2, 5, 9][version] as number)),
    })),
  },
  {
    title: "takes a media type with parameters, in any case",
    steps: [
      { send: add("cmd-3", 1, { "content-type": "Application/JSON; charset=UTF-8" }), expect: ok(added("cmd-3", 0, 1, 3)) },
    ],
  },
  {
    title: "keeps integers that a number can hold, however long they are",
    steps: [
      {
        send: command("AddNumbers", '{"aggregateId":"1234567890123456","number1":9007199254740989,"number2":2}'),
        expect: ok(added("1234567890123456", 0, 9007199254740989, 9007199254740991)),
      },
    ],
  },
  {
    title: "acts upon the version that is expected, and on no other",
    steps: [
      {
        send: command("AddNumbers", { aggregateId: "cmd-4", number1: 1, number2: 2, expectedVersion: -1 }),
        expect: ok(added("cmd-4", 0, 1, 3)),
      },
      {
        send: command("AddNumbers", { aggregateId: "cmd-4", number1: 1, number2: 2, expectedVersion: 0 }),
        expect: ok(added("cmd-4", 1, 1, 6)),
      },
      ...[-1, 0, 7].map((expectedVersion) => ({
        send: command("AddNumbers", { aggregateId: "cmd-4", number1: 1, number2: 2, expectedVersion }),
        expect: {
          status: 409,
          problem: {
            code: "concurrency",
            detail: /is at version 1, not at the expected/,
            aggregateType: "summing-calculators",
            aggregateId: "cmd-4",
            expected: expectedVersion,
            actual: 1,
          },
        },
      })),
    ],
  },
  {
    title: "replays a command that is sent again with its key, after others too",
    steps: [
      { send: add("cmd-5", 1, key("cmd-5")), expect: ok(added("cmd-5", 0, 1, 3)) },
      { send: add("cmd-5", 9), expect: ok(added("cmd-5", 1, 9, 14)) },
      { send: add("cmd-5", 1, key("cmd-5")), expect: ok({ ...added("cmd-5", 0, 1, 3), replayed: true }) },
    ],
  },
  {
    title: "replays a command that would now conflict",
    steps: [
      {
        send: command("AddNumbers", { aggregateId: "cmd-6", number1: 1, number2: 2, expectedVersion: -1 }, key("cmd-6")),
        expect: ok(added("cmd-6", 0, 1, 3)),
      },
      { send: add("cmd-6", 9), expect: ok(added("cmd-6", 1, 9, 14)) },
      {
        send: command("AddNumbers", { aggregateId: "cmd-6", number1: 1, number2: 2, expectedVersion: -1 }, key("cmd-6")),
        expect: ok({ ...added("cmd-6", 0, 1, 3), replayed: true }),
      },
    ],
  },
  {
    title: "refuses a key that belongs to another payload, command or actor",
    steps: [
      { send: add("cmd-7", 1, key("cmd-7")), expect: ok(added("cmd-7", 0, 1, 3)) },
      ...[
        add("cmd-7", 7, key("cmd-7")),
        command("SubtractNumbers", { aggregateId: "cmd-7", number1: 1, number2: 2 }, key("cmd-7")),
        add("cmd-7", 1, key("cmd-7"), "bob"),
      ].map((send) => ({
        send,
        expect: { status: 422, problem: { code: "idempotency", detail: /belongs to another command/, commandId: "cmd-7" } },
      })),
    ],
  },
  {
    title: "gives the same key and id their own history in each tenant",
    steps: [
      { send: add("cmd-8", 1, key("cmd-8")), expect: ok(added("cmd-8", 0, 1, 3)) },
      { send: add("cmd-8", 5, key("cmd-8"), "twin"), expect: ok(added("cmd-8", 0, 5, 7)) },
      {
        send: { path: "/aggregates/summing-calculators/cmd-8" },
        expect: ok({ aggregateId: "cmd-8", version: 0, state: { sum: 3 } }),
      },
    ],
  },
  {
    title: "does not take the tenant from a payload, a header or the query",
    steps: [
      {
        send: {
          ...command("AddNumbers", { aggregateId: "cmd-9", number1: 1, number2: 2, tenant: "twin" }, { "x-tenant": "twin" }),
          path: "/commands/AddNumbers?tenant=twin",
        },
        expect: ok({
          ...added("cmd-9", 0, 1, 3),
          events: [{ name: "NumbersAdded", payload: { number1: 1, number2: 2 }, schemaVersion: 0 }],
        }),
      },
      {
        send: { path: "/aggregates/summing-calculators/cmd-9", as: "twin" },
        expect: { status: 404, problem: { code: "not_found", detail: /aggregate/ } },
      },
    ],
  },
  refusal(
    "refuses a role that the command does not admit",
    add("cmd-10", 1, {}, "guest"),
    403,
    "authorization",
    /gus may not send AddNumbers/,
    {
      command: "AddNumbers",
    },
  ),
  {
    title: "lets the state decide who may send a command, and answers one without effect",
    steps: [
      {
        send: command("CreateUser", { aggregateId: "ada", name: "Ada" }),
        expect: ok({
          ...added("ada", 0, 0, 0),
          events: [{ name: "UserCreated", payload: { name: "Ada" }, schemaVersion: 0 }],
          state: { name: "Ada", isEnabled: true },
        }),
      },
      {
        send: command("CreatePost", { aggregateId: "post-1", title: "Hello", body: "…" }),
        expect: ok({
          ...added("post-1", 0, 0, 0),
          events: [{ name: "PostCreated", payload: { title: "Hello", body: "…", author: "ada" }, schemaVersion: 0 }],
          state: { title: "Hello", body: "…", author: "ada", isArchived: false },
        }),
      },
      {
        send: command("ArchivePost", { aggregateId: "post-1" }, {}, "bob"),
        expect: {
          status: 403,
          problem: { code: "authorization", detail: /bob may not send ArchivePost/, command: "ArchivePost" },
        },
      },
      {
        send: command("ArchivePost", { aggregateId: "post-1" }),
        expect: ok({
          ...added("post-1", 1, 0, 0),
          events: [{ name: "PostArchived", payload: {}, schemaVersion: 0 }],
          state: { title: "Hello", body: "…", author: "ada", isArchived: true },
        }),
      },
      {
        send: command("ArchivePost", { aggregateId: "post-1" }),
        expect: ok({
          ...added("post-1", 1, 0, 0),
          events: [],
          state: { title: "Hello", body: "…", author: "ada", isArchived: true },
        }),
      },
    ],
  },
];
