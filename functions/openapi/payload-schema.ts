import type { AggregateClass, StandardSchema } from "../../core/index.ts";

/** A JSON schema (2020-12), as OpenAPI 3.1 uses it. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The extension of Standard Schema that gives JSON schemas; Zod has it, others by their own adapters. */
interface WithJsonSchema {
  readonly jsonSchema?: { readonly input: (options: { readonly target: "draft-2020-12" }) => JsonSchema };
}

/** The schemas that one command brings into the document's components, by their names there. */
export function commandSchemas(Type: AggregateClass, command: string): Readonly<Record<string, JsonSchema>> {
  const schema = Type.schemas !== undefined && Object.hasOwn(Type.schemas, command) ? Type.schemas[command] : undefined;
  const name = `${command}.payload`;
  const payload = schema && moved(jsonSchemaOf(schema), `#/components/schemas/${name}`);
  if (payload === undefined)
    return { [command]: { ...ENVELOPE, description: "aggregateId, expectedVersion, and the payload's fields." } };
  return { [command]: withEnvelope(payload, name), [name]: payload };
}

/** What lies beside the payload's fields in every command. */
const ENVELOPE = {
  type: "object",
  properties: {
    aggregateId: { type: "string", minLength: 1, maxLength: 256, description: "Absent = a new aggregate with a generated id." },
    expectedVersion: {
      type: "integer",
      minimum: -1,
      description: "The version to act upon exactly; -1 = the aggregate must not exist yet; absent = the latest.",
    },
  },
  dependentRequired: { expectedVersion: ["aggregateId"] },
} as const;

/** Merges the two objects into one where that can be said, because a strict payload would refuse the members of the envelope. */
function withEnvelope(payload: JsonSchema, name: string): JsonSchema {
  const { $defs: _defs, ...rest } = payload;
  if (payload.type !== "object" || typeof payload.properties !== "object")
    return { allOf: [ENVELOPE, { $ref: `#/components/schemas/${name}` }] };
  return { ...rest, ...ENVELOPE, properties: { ...payload.properties, ...ENVELOPE.properties } };
}

/** Undefined where the schema cannot tell, as a date or a transformation cannot: then the payload is an open object. */
function jsonSchemaOf(schema: StandardSchema): JsonSchema | undefined {
  const standard = schema["~standard"] as StandardSchema["~standard"] & WithJsonSchema;
  try {
    return standard.jsonSchema?.input({ target: "draft-2020-12" });
  } catch {
    return undefined;
  }
}

/** The schema at another place: references into itself lead there. */
function moved(schema: JsonSchema | undefined, place: string): JsonSchema | undefined {
  if (schema === undefined) return undefined;
  const { $schema: _dialect, ...rest } = schema;
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const isOwn = key === "$ref" && typeof item === "string" && item.startsWith("#");
        return [key, isOwn ? place + item.slice(1) : move(item)];
      }),
    );
  };
  return move(rest) as JsonSchema;
}
