import fc from "fast-check";
import type { Json } from "../../core/index.ts";

/** Keys that are allowed, strange ones among them. */
const key = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom("", "a", "constructor", "toString", "10", "9", "__name__", "a.b", "$set", "😀"),
);

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
  fc.constantFrom(0, 1e21, 0.1, 5e-324),
);

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ maxLength: 12 }),
  fc.constantFrom("", "\u0000", '"\\', "e\u0301"),
);

/** Any value that a store must keep; never `-0`, which becomes 0, and never the key `__proto__`, which is refused. */
export const jsonValue: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    number.map((n) => (n === 0 ? 0 : n)),
    text,
    fc.array(tie("value"), { maxLength: 5 }),
    fc
      .array(
        fc.tuple(
          key.filter((name) => name !== "__proto__"),
          tie("value"),
        ),
        { maxLength: 5 },
      )
      .map((entries) => Object.fromEntries(entries)),
  ),
})).value;

/** Ids of aggregates, views and commands, made of what paths and delimiters are made of. */
export const anyId: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({
      unit: fc.constantFrom("a", "A", "b", "0", "1", "/", ".", "#", "%", "2F", "_", "-", " ", "é", "😀", ":"),
      minLength: 1,
      maxLength: 6,
    }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  )
  .map((id) => id.normalize("NFC"));
