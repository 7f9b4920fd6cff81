import type { Service } from "../composition.ts";
import { PARAMETERS, type Part, PROBLEMS, SCHEMAS } from "./components.ts";
import { aggregatePaths, COMMON_PATHS, commandOperation, viewPaths, type Walk } from "./operations.ts";
import { commandSchemas, type JsonSchema } from "./payload-schema.ts";

/** What the document says of the application as a whole. */
export interface ApiInfo {
  readonly title: string;
  /** The application's own version. */
  readonly version: string;
  readonly description?: string;
}

/** Describes a service as OpenAPI 3.1: an operation for each command, aggregate type and collection, with the samples as examples. */
export function openApiDocument({ types, collections, samples }: Service, info: ApiInfo): Part {
  const walk: Walk = samples.map((sample, index) => ({ ...sample, step: index + 1 }));
  const paths: Record<string, Part> = {};
  const schemas: Record<string, JsonSchema> = { ...SCHEMAS };
  for (const [type, Type] of types) {
    const commands = Object.keys(new Type().commands);
    for (const command of commands) {
      paths[`/commands/${command}`] = { post: commandOperation(Type, type, command, walk) };
      Object.assign(schemas, commandSchemas(Type, command));
    }
    const made = walk.find(({ command, data }) => commands.includes(command) && data.aggregateId !== undefined);
    Object.assign(paths, aggregatePaths(Type, type, made?.data.aggregateId));
  }
  for (const [collection, { readers }] of collections) Object.assign(paths, viewPaths(collection, readers));
  return {
    openapi: "3.1.0",
    info,
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    paths: { ...paths, ...COMMON_PATHS },
    components: {
      schemas,
      parameters: PARAMETERS,
      responses: PROBLEMS,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "Claims sub, tenant, roles and exp." },
      },
    },
  };
}
