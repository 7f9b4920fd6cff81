import type { CloudEvent, OutgoingEvent } from "../../core/publishing.ts";

/** An event of an aggregate on its way out, as an event publisher makes it. */
export function outgoingEvent(tenant: string, subject: string, number: number, note = ""): OutgoingEvent {
  const key = `${tenant}/parcels/${subject}`;
  const cloudEvent: CloudEvent = {
    specversion: "1.0",
    id: `${key}/c${number}/0`,
    source: `https://post.example/${tenant}/parcels`,
    type: "Packed",
    subject,
    time: "2026-01-01T00:00:00.000Z",
    datacontenttype: "application/json",
    tenant,
    partitionkey: key,
    position: String(number + 1),
    version: String(number),
    dataversion: "0",
    data: { number, note },
  };
  const json = JSON.stringify(cloudEvent);
  return { key, cloudEvent, json, bytes: Buffer.byteLength(json) };
}
