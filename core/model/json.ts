import { ValidationError } from "./errors.ts";
import { jsonBytes } from "./text.ts";

/** A value that JSON carries without change. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object; undefined properties are left out when it is stored, as in JSON. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A value with every property, however deep, read-only: what handlers and commands receive. */
export type DeepReadonly<T> = JsonObject extends T
  ? T
  : T extends (...args: never[]) => unknown
    ? T
    : T extends object
      ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
      : T;

/** A checked copy of a value, deep-frozen, with sorted keys, and the bytes that it takes as JSON. */
export interface Encoded<T extends Json = Json> {
  readonly value: T;
  readonly bytes: number;
}

/** How deep a stored value may nest: the value itself is at depth 1. */
const MAX_DEPTH = 100;
/** How many values one stored value may contain; bounds the work on a graph that shares its parts. */
const MAX_VALUES = 1_000_000;

type Key = string | number;

/** What a place asks of a value beyond its being JSON. */
interface Rules {
  /** Keys that are left out at the top. */
  readonly omitted?: readonly string[];
  /** Says what is wrong with a value that lies under this key at this depth; undefined where nothing is. */
  readonly flawOf?: (value: unknown, key: Key | undefined, depth: number) => string | undefined;
}

interface Walk {
  bytes: number;
  values: number;
  readonly rules: Rules;
  readonly root: string;
  /** The depth of the value that was given. */
  readonly top: number;
}

const NO_RULES: Rules = {};

/** The key that was taken at each depth; one for all walks, which never wait, because an array for each costs as much as a small payload. */
const TRAIL: Key[] = [];

/**
 * Copies `value`, deep-frozen and with sorted keys, so that `JSON.stringify` of the copy is the canonical text.
 * `depth` is what `value` itself counts as.
 *
 * As in JSON an undefined property is left out and `-0` becomes 0.
 * @throws {ValidationError} with the path, for whatever would not come back identical: `undefined` elsewhere, NaN, Infinity,
 * BigInt, functions, symbols, class instances (Date, Map …), lone surrogates, a key `__proto__`, and depth over 100 (so every cycle).
 */
export function encode(value: unknown, root = "", depth = 1): Encoded {
  const walk = walkFrom(root, depth, NO_RULES);
  return { value: copy(value, walk, depth), bytes: walk.bytes };
}

/** Like `encode`, for a value that must be an object (a payload, a view). */
export function encodeObject(value: unknown, root = "", depth = 1, rules = NO_RULES): Encoded<JsonObject> {
  const walk = walkFrom(root, depth, rules);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuse(walk, depth, "is not an object: give an object of JSON values");
  return { value: copyObject(value, walk, depth, rules.omitted), bytes: walk.bytes };
}

/** Like `encode`, for an instance: its own enumerable fields are taken as the object. */
export function encodeFields(instance: object, root = ""): Encoded<JsonObject> {
  const walk = walkFrom(root, 1, NO_RULES);
  return { value: copyFields(instance as Record<string, unknown>, walk, 1), bytes: walk.bytes };
}

/** Deep copy of a frozen JSON value that may be changed freely. Linear in its size. */
export function thaw<T extends Json>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(thaw) as unknown as T;
  const source = value as JsonObject;
  const target: Record<string, Json> = {};
  for (const key in source) target[key] = thaw(source[key] as Json);
  return target as T;
}

/** The canonical text of a value: equal values have equal texts, whatever the order of their keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(encode(value).value);
}

function walkFrom(root: string, top: number, rules: Rules): Walk {
  return { bytes: 0, values: 0, rules, root, top };
}

function copy(value: unknown, walk: Walk, depth: number): Json {
  if (++walk.values > MAX_VALUES) return refuse(walk, depth, `has more than ${MAX_VALUES} values: split it`);
  const flaw = walk.rules.flawOf?.(value, TRAIL[depth - 1], depth);
  if (flaw !== undefined) return refuse(walk, depth, flaw);
  switch (typeof value) {
    case "string":
      walk.bytes += textBytes(value, walk, depth);
      return value;
    case "number":
      if (!Number.isFinite(value)) return refuse(walk, depth, `is ${value}: give a finite number`);
      walk.bytes += numberBytes(value);
      return value === 0 ? 0 : value;
    case "boolean":
      walk.bytes += String(value).length;
      return value;
    case "object":
      if (value === null) {
        walk.bytes += 4;
        return null;
      }
      if (depth > MAX_DEPTH) return refuse(walk, depth, `is nested deeper than ${MAX_DEPTH}, or contains itself: flatten it`);
      return Array.isArray(value) ? copyArray(value, walk, depth) : copyObject(value, walk, depth);
    default:
      return refuse(walk, depth, `is ${value === undefined ? value : `a ${typeof value}`}: give a JSON value`);
  }
}

function copyArray(values: readonly unknown[], walk: Walk, depth: number): Json {
  const target: Json[] = [];
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    TRAIL[depth] = index;
    target.push(copy(value, walk, depth + 1));
  }
  walk.bytes += punctuation(target.length);
  return Object.freeze(target);
}

function copyObject(source: object, walk: Walk, depth: number, omitted?: readonly string[]): JsonObject {
  const prototype = Object.getPrototypeOf(source) as object | null;
  if (prototype !== Object.prototype && prototype !== null && !isForeignPlain(prototype)) {
    return refuse(walk, depth, `is a ${constructorName(source)}: give a plain object, an array, a number or a string`);
  }
  return copyFields(source as Record<string, unknown>, walk, depth, omitted);
}

function copyFields(fields: Record<string, unknown>, walk: Walk, depth: number, omitted?: readonly string[]): JsonObject {
  if (Object.getOwnPropertySymbols(fields).length > 0) return refuse(walk, depth, "has a symbol as a key: use strings");
  const target: Record<string, Json> = {};
  let written = 0;
  for (const key of sortedKeys(fields)) {
    const value = fields[key];
    if (value === undefined || omitted?.includes(key)) continue;
    TRAIL[depth] = key;
    if (key === "__proto__") return refuse(walk, depth + 1, "cannot be a key: rename it");
    walk.bytes += textBytes(key, walk, depth + 1) + 1;
    target[key] = copy(value, walk, depth + 1);
    written++;
  }
  walk.bytes += punctuation(written);
  return Object.freeze(target);
}

/** The bytes of a finite number; counted for most integers, because to make their texts costs more. */
function numberBytes(value: number): number {
  if ((value | 0) !== value) return String(value).length;
  let bytes = value < 0 ? 2 : 1;
  for (let rest = Math.abs(value); rest >= 10; rest /= 10) bytes++;
  return bytes;
}

/** The bytes of a container's brackets, and of the commas between its parts. */
function punctuation(parts: number): number {
  return parts === 0 ? 2 : parts + 1;
}

/** Most objects have their keys in order already: then sorting, which costs more than the copy, is left out. */
function sortedKeys(fields: object): readonly string[] {
  const keys = Object.keys(fields);
  for (let index = 1; index < keys.length; index++) {
    if ((keys[index - 1] as string) > (keys[index] as string)) return keys.sort();
  }
  return keys;
}

/** A plain object of another realm (an iframe, a vm context) has a prototype of its own that is the end of its chain. */
function isForeignPlain(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

function constructorName(value: object): string {
  const maker: unknown = (value as { constructor?: unknown }).constructor;
  return typeof maker === "function" && maker.name !== "" ? maker.name : "class instance";
}

function textBytes(text: string, walk: Walk, depth: number): number {
  return jsonBytes(text) ?? refuse(walk, depth, "has a lone surrogate: give well-formed Unicode");
}

/** Refuses the value at a depth, which the trail leads to. */
function refuse({ root, top }: Walk, depth: number, reason: string): never {
  const keys = TRAIL.slice(top, depth);
  throw new ValidationError((root === "" ? keys : [root, ...keys]).join("."), reason);
}
