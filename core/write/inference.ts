import type { AggregateClass, AnyAggregate } from "../model/aggregate.ts";
import type { JsonObject } from "../model/json.ts";
import type { CommandContext, EmptyPayload } from "./command-context.ts";

/** Aggregate classes, as a handler is made with them. */
export type AggregateClasses = readonly AggregateClass[];

/** The classes that have a command of this name. */
export type OwnerOf<C extends AggregateClasses, Name extends string> = C[number] extends infer Type
  ? Type extends AggregateClass
    ? Name extends keyof InstanceType<Type>["commands"]
      ? InstanceType<Type>
      : never
    : never
  : never;

/** The names of the commands of some aggregate classes. */
export type CommandName<C extends AggregateClasses> = C[number] extends infer Type
  ? Type extends AggregateClass
    ? keyof InstanceType<Type>["commands"] & string
    : never
  : never;

/** The payload of a command, as its context declares it; none where it takes no context, any JSON where the class is not known. */
export type PayloadOf<C extends AggregateClasses, Name extends string> = string extends Name
  ? JsonObject
  : OwnerOf<C, Name> extends { readonly commands: Readonly<Record<Name, infer Command>> }
    ? Command extends (context: infer Context) => unknown
      ? [Context] extends [never]
        ? JsonObject
        : Context extends CommandContext<AnyAggregate, infer Payload>
          ? Payload
          : unknown extends Context
            ? EmptyPayload
            : never
      : never
    : never;

/** What is sent with a command: its payload's fields, and which aggregate it is for. */
export type CommandData<C extends AggregateClasses, Name extends string> = FieldsOf<SentOf<C, Name>> & {
  /** Absent = a new aggregate with a generated id. */
  readonly aggregateId?: string;
  /** The exact version to act on; -1 = the aggregate must not exist yet; absent = the latest. */
  readonly expectedVersion?: number;
};

/** What is sent as a payload: what the command's schema takes, if it has one that tells, for that may fill in and convert; else the payload. */
type SentOf<C extends AggregateClasses, Name extends string> = [InputOf<C, Name>] extends [never]
  ? PayloadOf<C, Name>
  : InputOf<C, Name>;

/** The input of a command's schema, as Standard Schema declares it; never = unknown. */
type InputOf<C extends AggregateClasses, Name extends string> =
  Extract<
    C[number],
    { readonly schemas: { readonly [N in Name]: { readonly "~standard": { readonly types?: unknown } } } }
  > extends { readonly schemas: { readonly [N in Name]: { readonly "~standard": infer Standard } } }
    ? Standard extends { readonly types?: infer Types }
      ? NonNullable<Types> extends { readonly input: infer Input extends object }
        ? Input
        : never
      : never
    : never;

/** A payload's fields. What schemas infer for an empty one, `Record<string, never>`, would forbid those beside them too. */
type FieldsOf<Payload> =
  Payload extends Readonly<Record<string, never>> ? (string extends keyof Payload ? EmptyPayload : Payload) : Payload;
