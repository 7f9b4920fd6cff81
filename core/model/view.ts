import { ValidationError } from "./errors.ts";
import { type Encoded, encodeObject, type Json, type JsonObject } from "./json.ts";

/** How deep a view may nest; Firestore allows 20 and the view lies inside a document. */
export const MAX_VIEW_DEPTH = 16;
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
  const encoded = encodeObject(value, root);
  const { value: view, bytes } = encoded;
  if (bytes > MAX_VIEW_BYTES) throw new ValidationError(root, `has ${bytes} bytes: keep a view within ${MAX_VIEW_BYTES}`);
  checkShape(view, root, 1, false);
  return encoded;
}

function checkShape(value: Json, path: string, depth: number, isInArray: boolean): void {
  if (typeof value === "number") checkMagnitude(value, path);
  if (typeof value !== "object" || value === null) return;
  if (depth > MAX_VIEW_DEPTH) throw new ValidationError(path, `is nested deeper than ${MAX_VIEW_DEPTH}: flatten the view`);
  if (Array.isArray(value)) {
    if (isInArray) throw new ValidationError(path, "is an array directly in an array: wrap the inner one in an object");
    for (const [index, item] of value.entries()) checkShape(item as Json, `${path}.${index}`, depth + 1, true);
    return;
  }
  for (const [name, item] of Object.entries(value as JsonObject)) {
    if (name === "" || RESERVED_NAME.test(name)) throw new ValidationError(`${path}.${name}`, "is a reserved name: rename it");
    checkShape(item, `${path}.${name}`, depth + 1, false);
  }
}

function checkMagnitude(value: number, path: string): void {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || (magnitude >= LEAST_MAGNITUDE && magnitude <= MOST_MAGNITUDE)) return;
  throw new ValidationError(path, `is ${value}: keep magnitudes within 1e-120 to 1e120, or store it as a text`);
}
