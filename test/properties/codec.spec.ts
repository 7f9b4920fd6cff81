import { expect } from "chai";
import fc from "fast-check";
import { canonicalJson, encode, type Json, ValidationError } from "../../core/index.ts";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import { thrown } from "../support/thrown.ts";
import { runs } from "./runs.ts";
import { jsonValue } from "./values.ts";

/** The same value with the keys of every object in another order. */
function reordered(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reordered);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reordered(item)]),
  );
}

/** A copy of the value with `bad` somewhere in it, and the path to it. */
function spoiled(
  value: Json,
  bad: unknown,
  choices: readonly number[],
): { readonly value: unknown; readonly path: readonly string[] } {
  const [choice = 0, ...rest] = choices;
  if (typeof value !== "object" || value === null || choices.length === 0) return { value: bad, path: [] };
  const entries = Object.entries(value);
  if (entries.length === 0) return { value: bad, path: [] };
  const place = choice % entries.length;
  const inner = spoiled(entries[place]![1] as Json, bad, rest);
  const parts = entries.map(([key, item], index): [string, unknown] => [key, index === place ? inner.value : item]);
  const path = [parts[place]![0], ...inner.path];
  return { value: Array.isArray(value) ? parts.map(([, item]) => item) : Object.fromEntries(parts), path };
}

describe("The codec", () => {
  it("brings every value back identical, counts its bytes exactly and freezes its copy", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const { value: copy, bytes } = encode(value);
        const json = JSON.stringify(copy);
        expect(copy).to.deep.equal(value);
        expect(JSON.parse(json)).to.deep.equal(value);
        expect(bytes).to.equal(Buffer.byteLength(json));
        expect(isDeepFrozen(copy)).to.equal(true);
      }),
      runs(1_000),
    );
  });

  it("gives equal values equal texts, whatever the order of their keys, and different values different ones", () => {
    fc.assert(
      fc.property(jsonValue, jsonValue, (one, other) => {
        expect(canonicalJson(reordered(one))).to.equal(canonicalJson(one));
        const areEqual = JSON.stringify(encode(one).value) === JSON.stringify(encode(other).value);
        expect(canonicalJson(one) === canonicalJson(other)).to.equal(areEqual);
      }),
      runs(500),
    );
  });

  it("refuses what would not come back, wherever it is, and names the place", () => {
    const bad = fc.constantFrom<unknown>(
      Number.NaN,
      1n,
      new Date(0),
      new Map(),
      () => 1,
      Symbol("a"),
      "\ud800",
      Number.NEGATIVE_INFINITY,
    );
    fc.assert(
      fc.property(jsonValue, bad, fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }), (value, wrong, choices) => {
        const { value: whole, path } = spoiled(value, wrong, choices);
        expect(thrown(ValidationError, () => encode(whole)).path).to.equal(path.join("."));
      }),
      runs(500),
    );
  });
});
