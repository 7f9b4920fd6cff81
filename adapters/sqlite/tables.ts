import { Appender } from "./append.ts";
import type { Client } from "./client.ts";
import { Log } from "./log.ts";
import { ParkedEvents } from "./parked.ts";
import { Registry } from "./registry.ts";
import { Sweep } from "./sweep.ts";
import { Threads } from "./threads.ts";
import { ViewTable } from "./views.ts";
import { Writer } from "./writer.ts";

/** The tables of one database, each with its statements prepared, and the ways to read and write them. */
export interface Tables {
  readonly client: Client;
  readonly writer: Writer;
  readonly registry: Registry;
  readonly appender: Appender;
  readonly log: Log;
  readonly threads: Threads;
  readonly parked: ParkedEvents;
  readonly viewTable: ViewTable;
  readonly sweep: Sweep;
}

/** Prepares every statement of a database. */
export function makeTables(client: Client): Tables {
  const registry = new Registry(client);
  const viewTable = new ViewTable(client);
  const parked = new ParkedEvents(client);
  return {
    client,
    writer: new Writer(client),
    registry,
    appender: new Appender(client, registry),
    log: new Log(client, registry),
    threads: new Threads(client, registry, viewTable, parked),
    parked,
    viewTable,
    sweep: new Sweep(client),
  };
}
