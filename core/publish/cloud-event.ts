import { keyOf } from "../model/address.ts";
import type { CloudEvent } from "../model/cloud-event.ts";
import { encode, type Json } from "../model/json.ts";
import type { AnyPublishMap } from "../model/publication.ts";
import { utf8 } from "../model/text.ts";
import type { BatchItem } from "../ports/event-handler.ts";
import { timeText } from "../ports/platform-time.ts";
import type { OutgoingEvent } from "../ports/publisher.ts";

/** What all events of one publisher share. */
export interface Envelope {
  readonly source: string;
  readonly typePrefix: string;
}

/**
 * Makes the cloud event of an event, by its class's publish map; undefined where it stays inside.
 *
 * @throws {ValidationError} when the published data are not JSON; and whatever `data` throws.
 */
export function outgoing(item: BatchItem, map: AnyPublishMap, envelope: Envelope): OutgoingEvent | undefined {
  const { event, commit, index } = item;
  const publication = Object.hasOwn(map, event.name) ? map[event.name] : undefined;
  if (!publication) return undefined;
  const { type = event.name, version = event.schemaVersion, data } = publication === true ? {} : publication;
  const published = data === undefined ? event.payload : data(event as never, commit);
  if (published === undefined) return undefined;
  const key = keyOf(commit);
  const { correlationId, causationId } = commit;
  const cloudEvent: CloudEvent = {
    specversion: "1.0",
    id: `${key}/${commit.commitId}/${index}`,
    source: `${envelope.source}/${commit.tenant}/${commit.type}`,
    type: envelope.typePrefix + type,
    subject: commit.id,
    time: timeText(commit.at),
    datacontenttype: "application/json",
    tenant: commit.tenant,
    partitionkey: key,
    position: String(commit.position),
    version: String(commit.version),
    dataversion: String(version),
    ...(correlationId !== undefined && { correlationid: correlationId }),
    ...(causationId !== undefined && { causationid: causationId }),
    data: encode(published as Json, "data").value,
  };
  const json = JSON.stringify(cloudEvent);
  return { key, cloudEvent, json, bytes: utf8(json).length };
}
