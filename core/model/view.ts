import { ValidationError } from "./errors.ts";
import { type Encoded, encodeObject, type JsonObject } from "./json.ts";
import { jsonBytes } from "./text.ts";

/** How deep a view may nest; Firestore allows 20 and the view lies inside a document. */
const MAX_VIEW_DEPTH = 16;
/** The largest view, in bytes of JSON; DynamoDB allows 400 KB an item, names and overhead included. */
export const MAX_VIEW_BYTES = 256 * 1024;
/** The largest view as a store spells it, in bytes: Firestore's documents hold 1 MiB, with the document's name. */
const MAX_STORED_BYTES = 1_000_000;
/** What a value may take beside its JSON: `-1` is 3 bytes with its comma, and 13 on the way to Firestore. */
const VALUE_BYTES = 10;
/** The names that lead to a value, in bytes: Firestore allows 1,500, with what its own spelling of them adds. */
const MAX_PATH_BYTES = 1_000;
/** Index entries of a view: Firestore makes two for a field, one for an element of an array and none below it, and allows 40,000. */
const MAX_INDEX_ENTRIES = 39_000;

const RESERVED_NAME = /^__.*__$/s;
const LEAST_MAGNITUDE = 1e-120;
const MOST_MAGNITUDE = 1e120;

/**
 * Checks that a view (or a published snapshot, which is not indexed) fits every store as native fields, and returns a frozen copy with
 * the bytes that no store's spelling of it exceeds.
 *
 * @throws {ValidationError} with the path, for depth over 16, an empty or `__…__` name, more than 1,000 bytes of names on the way to a
 * value, an array directly in an array, a number whose magnitude is outside 1e-120 to 1e120, more than 256 KiB or some 70,000 values,
 * more than 19,500 fields or 39,000 elements of arrays where it is indexed, and whatever `encode` refuses.
 */
export function encodeView(value: unknown, root = "view", isIndexed = true): Encoded<JsonObject> {
  const rules = new ViewRules();
  const encoded = encodeObject(value, root, 1, { flawOf: (part, key, depth) => rules.flawOf(part, key, depth) });
  const stored = encoded.bytes + VALUE_BYTES * rules.values;
  if (encoded.bytes > MAX_VIEW_BYTES)
    throw new ValidationError(root, `has ${encoded.bytes} bytes: keep a view within ${MAX_VIEW_BYTES}`);
  if (stored > MAX_STORED_BYTES)
    throw new ValidationError(root, `has ${rules.values} values, some 70,000 are allowed: split the view`);
  if (isIndexed && rules.entries > MAX_INDEX_ENTRIES)
    throw new ValidationError(
      root,
      `makes ${rules.entries} index entries, at most ${MAX_INDEX_ENTRIES} are allowed (a field is 2, an array element 1): split the view`,
    );
  return { value: encoded.value, bytes: stored };
}

/** The rules for one view, which is walked parents first; what is at a depth is that of the value under way. */
class ViewRules {
  values = 0;
  entries = 0;
  readonly #pathBytes: number[] = [];
  readonly #isInArray: boolean[] = [];

  flawOf(value: unknown, key: string | number | undefined, depth: number): string | undefined {
    const isElement = typeof key === "number";
    const isBelowArray = this.#isInArray[depth - 1] === true;
    this.#isInArray[depth] = isBelowArray || isElement;
    this.values++;
    if (!isBelowArray) this.entries += isElement ? 1 : 2;
    const bytes = (this.#pathBytes[depth - 1] ?? 0) + (isElement ? 0 : (jsonBytes(String(key)) ?? 0));
    this.#pathBytes[depth] = bytes;
    if (key === "" || RESERVED_NAME.test(String(key))) return "is a reserved name: rename it";
    if (bytes > MAX_PATH_BYTES)
      return `has ${bytes} bytes of names on the way to it, at most ${MAX_PATH_BYTES} are allowed: shorten the names`;
    if (typeof value === "number" && !isMagnitude(Math.abs(value)))
      return `is ${value}: keep magnitudes within 1e-120 to 1e120, or store it as a string`;
    if (typeof value !== "object" || value === null) return undefined;
    if (depth > MAX_VIEW_DEPTH) return `is nested deeper than ${MAX_VIEW_DEPTH}: flatten the view`;
    return isElement && Array.isArray(value) ? "is an array directly in an array: wrap the inner one in an object" : undefined;
  }
}

/** Zero too, and what is no number at all, which the codec refuses by its own reason. */
function isMagnitude(value: number): boolean {
  return value === 0 || !(value < LEAST_MAGNITUDE || value > MOST_MAGNITUDE);
}
