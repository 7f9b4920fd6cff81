import { ValidationError } from "./errors.ts";
import { type Encoded, encodeObject, type JsonObject } from "./json.ts";

/** How deep a view may nest; Firestore allows 20 and the view lies inside a document. */
const MAX_VIEW_DEPTH = 16;
/** The largest view, in bytes of JSON; DynamoDB allows 400 KB an item, names and overhead included. */
export const MAX_VIEW_BYTES = 256 * 1024;

const RESERVED_NAME = /^__.*__$/;
const LEAST_MAGNITUDE = 1e-120;
const MOST_MAGNITUDE = 1e120;

/**
 * Checks that a view (or a published snapshot) fits every store as native fields, and returns a frozen copy.
 *
 * @throws {ValidationError} with the path, for depth over 16, an empty or `__…__` name, an array directly in an array,
 * a number whose magnitude is outside 1e-120 to 1e120, more than 256 KiB, and whatever `encode` refuses.
 */
export function encodeView(value: unknown, root = "view"): Encoded<JsonObject> {
  const encoded = encodeObject(value, root, 1, VIEW_RULES);
  const { bytes } = encoded;
  if (bytes > MAX_VIEW_BYTES) throw new ValidationError(root, `has ${bytes} bytes: keep a view within ${MAX_VIEW_BYTES}`);
  return encoded;
}

const VIEW_RULES = {
  flawOf(value: unknown, key: string | number | undefined, depth: number): string | undefined {
    if (key === "" || RESERVED_NAME.test(String(key))) return "is a reserved name: rename it";
    if (typeof value === "number" && !isMagnitude(Math.abs(value)))
      return `is ${value}: keep magnitudes within 1e-120 to 1e120, or store it as a text`;
    if (typeof value !== "object" || value === null) return undefined;
    if (depth > MAX_VIEW_DEPTH) return `is nested deeper than ${MAX_VIEW_DEPTH}: flatten the view`;
    // In an array the keys are numbers.
    const isInArray = typeof key === "number" && Array.isArray(value);
    return isInArray ? "is an array directly in an array: wrap the inner one in an object" : undefined;
  },
};

/** Zero too, and what is no number at all, which the codec refuses by its own reason. */
function isMagnitude(value: number): boolean {
  return value === 0 || !(value < LEAST_MAGNITUDE || value > MOST_MAGNITUDE);
}
