import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type AggregateClass, CommandHandler, type CommandHandlerOptions, Err, type ErrCode } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { thrown } from "../support/thrown.ts";

/** A class named Odd that differs from the calculator in what is given. */
function odd(statics: object, members: object = {}): AggregateClass {
  class Odd extends SummingCalculator {}
  for (const [name, value] of Object.entries(statics)) Object.defineProperty(Odd, name, { value });
  for (const [name, value] of Object.entries(members)) Object.defineProperty(Odd.prototype, name, { value });
  return Odd as unknown as AggregateClass;
}

const NAME_RULE = "use 1 to 64 of A-Z a-z 0-9 _ -, beginning with a letter or digit";
const RULE_RULE = 'give "tenant", an array of roles, or a predicate';
const SNAPSHOT_RULE = "give true, false, or { every, schema } as integers, every at least 1";
const noSchema = { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } };

const WRONG: readonly (readonly [string, unknown, ErrCode, string])[] = [
  ["no classes", [], "missing_argument", "missing argument aggregates: it is required"],
  ["classes that are no array", SummingCalculator, "missing_argument", "missing argument aggregates: it is required"],
  [
    "an instance instead of a class",
    [new SummingCalculator()],
    "invalid_argument",
    "invalid argument aggregates: give classes that extend Aggregate",
  ],
  ["a path that is absent", [odd({ path: undefined })], "missing_argument", "missing argument Odd.path: it is required"],
  ["an empty path", [odd({ path: "" })], "missing_argument", "missing argument Odd.path: it is required"],
  ["a path that is only a slash", [odd({ path: "/" })], "missing_argument", "missing argument Odd.path: it is required"],
  ["a path of two steps", [odd({ path: "/a/b" })], "invalid_argument", `invalid argument Odd.path: ${NAME_RULE}`],
  ["a path with two slashes", [odd({ path: "//a" })], "invalid_argument", `invalid argument Odd.path: ${NAME_RULE}`],
  ["a path that is no text", [odd({ path: 7 })], "invalid_argument", `invalid argument Odd.path: ${NAME_RULE}`],
  [
    "another's path",
    [SummingCalculator, odd({})],
    "invalid_argument",
    "invalid argument Odd.path: another class has the path /summing-calculators: give each class its own",
  ],
  ["no access", [odd({ access: undefined })], "missing_argument", "missing argument Odd.access: it is required"],
  [
    "an access that is another text",
    [odd({ access: "all" })],
    "invalid_argument",
    'invalid argument Odd.access: give "tenant" or a map from command to roles',
  ],
  [
    "access to a command that there is not",
    [odd({ access: { AddNumber: ["user"] } })],
    "invalid_argument",
    "invalid argument Odd.access: it has no command named AddNumber: remove the entry, or correct its name",
  ],
  [
    "a rule that is another text",
    [odd({ access: { AddNumbers: "user" } })],
    "invalid_argument",
    `invalid argument Odd.access.AddNumbers: ${RULE_RULE}`,
  ],
  [
    "a rule whose roles are no texts",
    [odd({ access: { AddNumbers: [7] } })],
    "invalid_argument",
    `invalid argument Odd.access.AddNumbers: ${RULE_RULE}`,
  ],
  [
    "a schema for a command that there is not",
    [odd({ schemas: { AddNumber: noSchema } })],
    "invalid_argument",
    "invalid argument Odd.schemas: it has no command named AddNumber: remove the entry, or correct its name",
  ],
  ["no commands", [odd({}, { commands: {} })], "missing_argument", "missing argument Odd.commands: it is required"],
  ["commands that are null", [odd({}, { commands: null })], "missing_argument", "missing argument Odd.commands: it is required"],
  [
    "a command that is no function",
    [odd({}, { commands: { Do: 7 } })],
    "not_implemented",
    "Odd.commands.Do is not implemented: write it, or remove its declaration",
  ],
  ["no events", [odd({}, { events: {} })], "missing_argument", "missing argument Odd.events: it is required"],
  [
    "an event that is no function",
    [odd({}, { events: { Done: {} } })],
    "not_implemented",
    "Odd.events.Done is not implemented: write it, or remove its declaration",
  ],
  [
    "snapshots every 0 commits",
    [odd({ snapshot: { every: 0 } })],
    "invalid_argument",
    `invalid argument Odd.snapshot: ${SNAPSHOT_RULE}`,
  ],
  [
    "snapshots every 1.5 commits",
    [odd({ snapshot: { every: 1.5 } })],
    "invalid_argument",
    `invalid argument Odd.snapshot: ${SNAPSHOT_RULE}`,
  ],
  [
    "a snapshot schema that is a text",
    [odd({ snapshot: { schema: "1" } })],
    "invalid_argument",
    `invalid argument Odd.snapshot: ${SNAPSHOT_RULE}`,
  ],
  [
    "two commands of one name",
    [SummingCalculator, odd({ path: "/odd" })],
    "invalid_argument",
    "invalid argument Odd.commands: AddNumbers is already a command of SummingCalculator: rename one",
  ],
];

describe("A command handler's classes", () => {
  const make = (classes: unknown, options?: CommandHandlerOptions) =>
    new CommandHandler(new MemoryEventStore(), classes as readonly AggregateClass[], options);

  for (const [what, classes, code, message] of WRONG) {
    it(`are refused for ${what}`, () => {
      const error = thrown(Err, () => make(classes));
      expect([error.code, error.message]).to.deep.equal([code, message]);
    });
  }

  it("are refused for a schema that is none", () => {
    for (const schema of [{}, null, () => {}, { "~standard": {} }]) {
      const error = thrown(Err, () => make([odd({ schemas: { AddNumbers: schema } })]));
      expect([error.code, error.message]).to.deep.equal([
        "invalid_argument",
        "invalid argument Odd.schemas.AddNumbers: give a Standard Schema",
      ]);
    }
  });

  it("are refused for upcasters of an event that there is not, or that are no functions", () => {
    const misnamed = thrown(Err, () => make([odd({ upcasters: { NumberAdded: [(payload: object) => payload] } })]));
    expect([misnamed.code, misnamed.message]).to.deep.equal([
      "invalid_argument",
      "invalid argument Odd.upcasters: it has no event named NumberAdded: remove the entry, or correct its name",
    ]);
    for (const chain of [(payload: object) => payload, [7], {}]) {
      const error = thrown(Err, () => make([odd({ upcasters: { NumbersAdded: chain } })]));
      expect([error.code, error.message]).to.deep.equal([
        "invalid_argument",
        "invalid argument Odd.upcasters.NumbersAdded: give an array of functions",
      ]);
    }
  });

  it("may be denied to everybody: a command without an entry needs none", () => {
    make([odd({ access: {} })]);
    make([odd({ access: { AddNumbers: [] } })]);
    make([odd({ path: "without-a-slash" })]);
  });

  it("come with options that are checked too", () => {
    const wrong = (options: object) => thrown(Err, () => make([SummingCalculator], options)).message;
    expect(wrong({ deadline: 0 })).to.match(/^invalid argument deadline: give an integer from 1 to /);
    expect(wrong({ deadline: "8" })).to.match(/^invalid argument deadline: /);
    expect(wrong({ cacheSize: 0 })).to.match(/^invalid argument cacheSize: /);
    expect(wrong({ cacheSize: 1.5 })).to.match(/^invalid argument cacheSize: /);
  });
});
