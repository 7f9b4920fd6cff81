import { admits } from "../model/access.ts";
import { type Actor, checkActor } from "../model/actor.ts";
import { checkInteger } from "../model/arguments.ts";
import { LIMITS } from "../model/commit.ts";
import { AuthorizationError, Err, ValidationError } from "../model/errors.ts";
import { checkId } from "../model/ids.ts";
import { type Encoded, encodeObject, type JsonObject } from "../model/json.ts";
import { pathOf, type SchemaResult, type StandardSchema } from "../model/schema.ts";
import type { IPlatform } from "../ports/platform.ts";
import type { RegisteredCommand, Registry } from "./registry.ts";

/** What a caller may say about a command beside its payload. */
export interface CommandOptions {
  /** 1 to 256 bytes; makes the command safe to send again: a resend within 7 days returns the first result and writes nothing. */
  readonly commandId?: string;
  /** Stored with the commit; identifies the chain of commands that this one belongs to. */
  readonly correlationId?: string;
  /** Stored with the commit; identifies what caused this command. */
  readonly causationId?: string;
}

/** A command that is well-formed and not denied; nothing was read yet. Frozen. */
export interface CommandRequest {
  readonly actor: Actor;
  readonly command: RegisteredCommand;
  readonly aggregateId: string;
  /** The id was generated, so the aggregate cannot exist. */
  readonly isNew: boolean;
  readonly expectedVersion: number | undefined;
  readonly payload: JsonObject;
  readonly payloadBytes: number;
  readonly commandId: string | undefined;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
  /** Digest of command and payload, made before ids are generated; only with a commandId. */
  readonly hash: string | undefined;
}

/** Checks everything about a command that can be checked without reading. Synchronous unless there is a schema or a commandId. */
export function checkRequest(
  registry: Registry,
  platform: IPlatform,
  actor: unknown,
  name: unknown,
  data: unknown,
  options: CommandOptions,
): CommandRequest | Promise<CommandRequest> {
  const checked = checkActor(actor);
  const command = registry.command(name);
  if (!admits(command.rule, checked)) throw new AuthorizationError(checked.id, command.name);
  const { aggregateId, expectedVersion } = (data ?? {}) as { readonly aggregateId?: string; readonly expectedVersion?: number };
  if (expectedVersion !== undefined) checkInteger(expectedVersion, "expectedVersion", -1);
  if (aggregateId !== undefined) checkId(aggregateId, "aggregateId");
  else if (expectedVersion !== undefined) throw Err.missingArgument("aggregateId");
  // Read once: what the caller does to its object later changes nothing.
  const { commandId, correlationId, causationId } = options;
  if (commandId !== undefined) checkId(commandId, "commandId");
  if (correlationId !== undefined) checkId(correlationId, "correlationId");
  if (causationId !== undefined) checkId(causationId, "causationId");
  const payload = checkPayload(data ?? {}, ENVELOPE);
  const isNew = aggregateId === undefined;
  const request: CommandRequest = {
    actor: checked,
    command,
    aggregateId: aggregateId ?? platform.newId(),
    isNew,
    expectedVersion,
    payload: payload.value,
    payloadBytes: payload.bytes,
    commandId,
    correlationId,
    causationId,
    hash: undefined,
  };
  if (command.schema === undefined && commandId === undefined) return request;
  return complete(platform, request);
}

/** What lies beside the payload's fields in the data of a command. */
const ENVELOPE = { omitted: ["aggregateId", "expectedVersion"] };

async function complete(platform: IPlatform, request: CommandRequest): Promise<CommandRequest> {
  const { command, payload, commandId } = request;
  const parsed = command.schema === undefined ? undefined : await parse(command.schema, payload);
  return {
    ...request,
    ...(parsed && { payload: parsed.value, payloadBytes: parsed.bytes }),
    ...(commandId !== undefined && { hash: await platform.digest(textOf(request)) }),
  };
}

/** The canonical text of what was sent. Encoding it once more would refuse the deepest payloads: inside of something they are too deep. */
function textOf({ isNew, aggregateId, command, expectedVersion, payload }: CommandRequest): string {
  return JSON.stringify({ ...(isNew ? {} : { aggregateId }), command: command.name, expectedVersion, payload });
}

async function parse(schema: StandardSchema, payload: JsonObject): Promise<Encoded<JsonObject>> {
  const result: SchemaResult<unknown> = await schema["~standard"].validate(payload);
  const issue = result.issues?.[0];
  if (issue !== undefined) throw new ValidationError(pathOf(issue, "payload"), issue.message);
  return checkPayload((result as { value: unknown }).value);
}

function checkPayload(value: unknown, rules?: { readonly omitted: readonly string[] }): Encoded<JsonObject> {
  const payload = encodeObject(value, "payload", 1, rules);
  if (payload.bytes > LIMITS.commitBytes) {
    throw new ValidationError("payload", `has ${payload.bytes} bytes of JSON: keep it within ${LIMITS.commitBytes}`);
  }
  return payload;
}
