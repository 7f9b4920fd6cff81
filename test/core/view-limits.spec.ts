import { expect } from "chai";
import { encodeView, type JsonObject, ValidationError } from "../../core/index.ts";
import { thrown } from "../support/thrown.ts";

const repeated = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);
const fields = (count: number): JsonObject => Object.fromEntries(repeated(count, 0).map((zero, n) => [`k${n}`, zero]));

/** What is taken, and what with one more of it is not. */
const LIMITS: Readonly<Record<string, readonly [fits: JsonObject, isTooMuch: JsonObject]>> = {
  "19,500 fields": [fields(19_500), fields(19_501)],
  "fields within fields, each counted": [{ a: fields(19_499) }, { a: fields(19_500) }],
  "38,998 elements of an array": [{ a: repeated(38_998, 1) }, { a: repeated(38_999, 1) }],
  "names of 1,000 bytes on the way to a value, quotation marks included": [
    { ["a".repeat(498)]: { ["b".repeat(498)]: 1 } },
    { ["a".repeat(498)]: { ["b".repeat(499)]: 1 } },
  ],
  "names within arrays": [{ a: [{ ["b".repeat(995)]: 1 }] }, { a: [{ ["b".repeat(996)]: 1 }] }],
  "names in several bytes a letter": [{ ["é".repeat(499)]: 1 }, { ["é".repeat(500)]: 1 }],
  "some 80,000 values below an array, which are not indexed": [
    { a: repeated(10, { b: repeated(8_000, 1) }) },
    { a: repeated(10, { b: repeated(9_000, 1) }) },
  ],
  "names that begin like reserved ones": [{ "__a\nb_": 1 }, { "__a\nb__": 1 }],
};

describe("The limits of a view", () => {
  for (const [what, [fits, isTooMuch]] of Object.entries(LIMITS)) {
    it(`takes ${what}, and refuses more`, () => {
      expect(encodeView(fits).value).to.deep.equal(fits);
      const error = thrown(ValidationError, () => encodeView(isTooMuch));
      expect(error.message).to.match(/^view/);
    });
  }

  it("forget a field when it is left: names are those on the way to a value only", () => {
    const names = Object.fromEntries(["a", "b", "c"].map((letter) => [letter.repeat(900), { x: 1 }]));
    expect(encodeView(names).value).to.deep.equal(names);
  });

  it("let what no index is made of have more fields", () => {
    expect(encodeView(fields(20_000), "state", false).value).to.deep.equal(fields(20_000));
    thrown(ValidationError, () => encodeView({ a: repeated(95_000, 1) }, "state", false));
  });

  it("tell the bytes that no store exceeds, so that several views fit into one write", () => {
    const { bytes } = encodeView({ a: repeated(1_000, -1) });
    expect(bytes).to.be.at.least(13 * 1_000);
  });
});
