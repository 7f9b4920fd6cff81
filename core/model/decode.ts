import type { Json } from "./json.ts";

/** Reads a text that `JSON.stringify` of an encoded value made; what it returns is deep-frozen. */
export function decode(text: string): Json {
  return freeze(JSON.parse(text) as Json);
}

function freeze(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Array.isArray(value) ? value : Object.values(value)) freeze(part as Json);
  return Object.freeze(value);
}
