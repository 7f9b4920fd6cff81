import type { Json } from "./json.ts";

/** An event as the world outside gets it: CloudEvents 1.0. Numbers in extension attributes are texts, since CloudEvents' own end at 2^31 - 1. */
export interface CloudEvent {
  readonly specversion: "1.0";
  /** The same each time the event is published: `<tenant>/<type>/<aggregate>/<commitId>/<index>`. A receiver that knows it drops the event. */
  readonly id: string;
  /** `<the publisher's source>/<tenant>/<aggregate type>`. */
  readonly source: string;
  readonly type: string;
  /** The aggregate's id. */
  readonly subject: string;
  /** When the command ran, by its own machine's clock; never tells the order. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly tenant: string;
  /** What is in order: `<tenant>/<type>/<aggregate>`. */
  readonly partitionkey: string;
  /** The commit's place in its tenant's order, as a decimal number. It is renumbered when a tenant is moved by export and import. */
  readonly position: string;
  /** The commit's place in its aggregate, counted from 0, as a decimal number. */
  readonly version: string;
  /** The number of the data's shape, as a decimal number. */
  readonly dataversion: string;
  readonly correlationid?: string;
  readonly causationid?: string;
  readonly data: Json;
}
