import { expect } from "chai";
import { Actor, Err, type ErrCode } from "../../core/index.ts";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import { thrown } from "../support/thrown.ts";

type Facts = ConstructorParameters<typeof Actor>[0];

const facts = { id: "user1", name: "actor 1", tenant: "tenant1", roles: ["manager", "user"] };
const ID_RULE = "use 1 to 256 bytes of UTF-8 in normal form NFC, without control characters";
const NAME_RULE = "use 1 to 64 of A-Z a-z 0-9 _ -, beginning with a letter or digit";

const WRONG: readonly (readonly [string, object, ErrCode, string])[] = [
  ["an id that is absent", { id: undefined }, "missing_argument", "missing argument actor.id: it is required"],
  ["an id that is null", { id: null }, "missing_argument", "missing argument actor.id: it is required"],
  ["an empty id", { id: "" }, "missing_argument", "missing argument actor.id: it is required"],
  ["an id that is a number", { id: 7 }, "invalid_argument", `invalid argument actor.id: ${ID_RULE}`],
  ["an id of 257 bytes", { id: "x".repeat(257) }, "invalid_argument", `invalid argument actor.id: ${ID_RULE}`],
  ["an id of 129 letters of two bytes", { id: "ü".repeat(129) }, "invalid_argument", `invalid argument actor.id: ${ID_RULE}`],
  ["an id with NUL", { id: "a\0" }, "invalid_argument", `invalid argument actor.id: ${ID_RULE}`],
  ["an id with a lone surrogate", { id: "a\ud800" }, "invalid_argument", `invalid argument actor.id: ${ID_RULE}`],
  ["an empty name", { name: "" }, "invalid_argument", `invalid argument actor.name: ${ID_RULE}`],
  ["a name that is an object", { name: {} }, "invalid_argument", `invalid argument actor.name: ${ID_RULE}`],
  ["a name with a line feed", { name: "a\nb" }, "invalid_argument", `invalid argument actor.name: ${ID_RULE}`],
  ["a tenant that is absent", { tenant: undefined }, "missing_argument", "missing argument actor.tenant: it is required"],
  ["an empty tenant", { tenant: "" }, "missing_argument", "missing argument actor.tenant: it is required"],
  ["a tenant with a slash", { tenant: "a/b" }, "invalid_argument", `invalid argument actor.tenant: ${NAME_RULE}`],
  ["a tenant that begins with _", { tenant: "__proto__" }, "invalid_argument", `invalid argument actor.tenant: ${NAME_RULE}`],
  ["a tenant of 65 letters", { tenant: "x".repeat(65) }, "invalid_argument", `invalid argument actor.tenant: ${NAME_RULE}`],
  ["a tenant with a line feed at its end", { tenant: "a\n" }, "invalid_argument", `invalid argument actor.tenant: ${NAME_RULE}`],
  ["a tenant that is an array", { tenant: ["a"] }, "invalid_argument", `invalid argument actor.tenant: ${NAME_RULE}`],
  ["roles that are absent", { roles: undefined }, "invalid_argument", "invalid argument actor.roles: give an array of strings"],
  ["roles that are a text", { roles: "user" }, "invalid_argument", "invalid argument actor.roles: give an array of strings"],
  [
    "roles that are a set",
    { roles: new Set(["user"]) },
    "invalid_argument",
    "invalid argument actor.roles: give an array of strings",
  ],
  [
    "a role that is a number",
    { roles: ["user", 7] },
    "invalid_argument",
    "invalid argument actor.roles: give strings that are not empty",
  ],
  ["an empty role", { roles: [""] }, "invalid_argument", "invalid argument actor.roles: give strings that are not empty"],
];

describe("Actor", () => {
  it("has its facts, its id for a name where it has none, and roles of its own", () => {
    const roles = ["user"];
    const actor = new Actor({ ...facts, roles });
    roles.push("manager");
    expect({ ...actor }).to.deep.equal({ id: "user1", name: "actor 1", tenant: "tenant1", roles: ["user"] });
    expect(new Actor({ id: "ada", tenant: "t", roles: [] }).name).to.equal("ada");
  });

  it("is frozen, and so are its roles", () => {
    const actor = new Actor(facts);
    expect(isDeepFrozen(actor)).to.equal(true);
    // @ts-expect-error it is read-only in its type too
    thrown(TypeError, () => actor.roles.push("admin"));
    // @ts-expect-error it is read-only in its type too
    thrown(TypeError, () => (actor.tenant = "other"));
  });

  it("takes what is at the edge", () => {
    const id = "ü".repeat(128);
    const tenant = `a${"-".repeat(63)}`;
    expect({ ...new Actor({ id, tenant, roles: [] }) }).to.deep.equal({ id, name: id, tenant, roles: [] });
    expect(new Actor({ ...facts, name: "Ada “the 1st” 𝒜 Ö" }).name).to.equal("Ada “the 1st” 𝒜 Ö");
  });

  for (const [what, change, code, message] of WRONG) {
    it(`refuses ${what}`, () => {
      const error = thrown(Err, () => new Actor({ ...facts, ...change } as Facts));
      expect([error.code, error.message]).to.deep.equal([code, message]);
    });
  }

  it("refuses facts that are none", () => {
    for (const none of [undefined, null, "ada"]) {
      const error = thrown(Err, () => new Actor(none as unknown as Facts));
      expect([error.code, error.message]).to.deep.equal(["missing_argument", "missing argument actor: it is required"]);
    }
  });
});
