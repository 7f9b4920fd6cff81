import type { AppliedEvent, EventMap } from "./aggregate.ts";
import type { PositionedCommit } from "./commit.ts";

/** How an event appears outside: as it is stored (`true`), never (`false`), or in a shape of its own. */
export type Publication<Name extends string = string, Payload = object> = boolean | PublishedShape<Name, Payload>;

/** The shape in which an event is published: a contract with its receivers, so that the stored event can change. */
export interface PublishedShape<Name extends string = string, Payload = object> {
  /** The CloudEvents type, behind the publisher's prefix; default: the event's name. Change it when the data change incompatibly. */
  readonly type?: string;
  /** The version of the data's shape, from 0; default: the event's own schema version. */
  readonly version?: number;
  /** The data, as JSON: pure, so that an event published again is the same; undefined = this one is not published. Default: the payload. */
  readonly data?: (event: AppliedEvent<Name, Payload>, commit: PositionedCommit) => object | undefined;
}

/** What an aggregate class publishes, by event name; an event without an entry is not published. */
export type PublishMap<E extends EventMap = EventMap> = {
  readonly [Name in keyof E & string]?: Publication<Name, E[Name]>;
};

/** A publish map of whatever events. */
export type AnyPublishMap = Readonly<
  Record<
    string,
    | boolean
    | {
        readonly type?: string;
        readonly version?: number;
        readonly data?: (event: never, commit: PositionedCommit) => object | undefined;
      }
    | undefined
  >
>;
