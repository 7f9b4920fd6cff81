import type { ParkedEvent, ParkedKey, ParkedPage } from "../../core/index.ts";
import type { Database } from "./database.ts";
import { frozen, textIn } from "./documents.ts";
import { kindPath, parkedKey, parkedRange } from "./keys.ts";

/** Which parked events of a thread to read. */
export interface ParkedOptions {
  readonly handler?: string;
  readonly after?: ParkedKey;
  readonly limit: number;
}

/** Reads one page of a thread's parked events: the keys sort as the contract orders them. */
export async function parkedPage(
  database: Database,
  tenant: string,
  thread: string,
  options: ParkedOptions,
): Promise<ParkedPage> {
  const { handler, after, limit } = options;
  const { from, before } = parkedRange(thread, handler);
  const first = after === undefined ? undefined : parkedKey(thread, after);
  const start = first !== undefined && first > from ? { after: first } : { from };
  const documents = await database.list(kindPath(tenant, "parked"), { ...start, before, limit: limit + 1 });
  const parked = documents.slice(0, limit).map((document) => frozen(JSON.parse(textIn(document, "data")) as ParkedEvent));
  const last = parked.at(-1);
  if (documents.length <= limit || last === undefined) return { parked };
  return { parked, next: { handler: last.handler, position: last.position, index: last.index } };
}
