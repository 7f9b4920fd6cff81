import { doorbell } from "../doorbell.ts";
import { lambdaLog, openStore, serviceOn } from "./backend.ts";
import { once } from "./once.ts";
import { readAwsSettings } from "./settings.ts";
import { streamHandler } from "./stream-handler.ts";

const settings = readAwsSettings(process.env);
const ring = once(async () => {
  const { store } = await openStore(settings);
  return doorbell({ store, service: serviceOn(store, settings, lambdaLog), log: lambdaLog });
});

/** Answers the doorbell of the table's stream: the handler `on-stream.handler` of the template. */
export const handler = streamHandler(ring, lambdaLog);
