import { expect } from "chai";
import fc from "fast-check";
import { aggregateKey, eventKey, eventRange, idKey, idOf, parkedKey, viewPath } from "../../adapters/firestore/keys.ts";
import { ACCEPTED_IDS } from "../contract/odd-ids.ts";

const HOSTILE = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(".", "/", "_", "0", "1", "a", "%", "~", " "), minLength: 1, maxLength: 12 }),
  fc.constantFrom(...Object.values(ACCEPTED_IDS)),
);
const VERSION = fc.oneof(fc.nat(), fc.constantFrom(0, 9, 10, 99, 100, 999_999, 1_000_000, 2 ** 40));

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

describe("The keys of Firestore documents", () => {
  it("bring every id back, as one segment that Firestore takes", () => {
    fc.assert(
      fc.property(HOSTILE, (id) => {
        const key = idKey(id);
        expect(idOf(key)).to.equal(id);
        expect(key).not.to.match(/\/|^\.{1,2}$|^__.*__$/s);
        expect(viewPath("t", "c", id).split("/").length).to.equal(6);
      }),
    );
  });

  it("sort as the ids do, by code point", () => {
    fc.assert(
      fc.property(HOSTILE, HOSTILE, (a, b) => {
        fc.pre(!/^__.*__/.test(a) && !/^__.*__/.test(b));
        expect(Math.sign(byCodePoint(idKey(a), idKey(b)))).to.equal(Math.sign(byCodePoint(a, b)));
      }),
    );
  });

  it("give two commits one key only if they are the same", () => {
    fc.assert(
      fc.property(HOSTILE, HOSTILE, VERSION, VERSION, (a, b, m, n) => {
        expect(eventKey("t", a, m) === eventKey("t", b, n)).to.equal(a === b && m === n);
        expect(aggregateKey("t", a) === aggregateKey("t", b)).to.equal(a === b);
      }),
    );
  });

  it("keep an aggregate's commits from a version on in a range that holds no other's", () => {
    fc.assert(
      fc.property(HOSTILE, HOSTILE, VERSION, VERSION, (a, b, m, n) => {
        const { from, before } = eventRange("t", a, m);
        const key = eventKey("t", b, n);
        const isInside = byCodePoint(key, from) >= 0 && byCodePoint(key, before) < 0;
        expect(isInside).to.equal(a === b && n >= m);
      }),
    );
  });

  it("stay within what a document's name may have, at the longest id, type and number", () => {
    const longest = ".".repeat(256);
    expect(Buffer.byteLength(eventKey("t".repeat(64), longest, Number.MAX_SAFE_INTEGER))).to.be.below(1_500);
    const parked = { handler: "h".repeat(64), position: Number.MAX_SAFE_INTEGER, index: 63 };
    expect(Buffer.byteLength(parkedKey("t".repeat(64), parked))).to.be.below(1_500);
  });
});
