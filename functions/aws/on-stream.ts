import { doorbell } from "../doorbell.ts";
import { lambdaLog, openStore, serviceOn } from "./backend.ts";
import { readAwsSettings } from "./settings.ts";
import { streamHandler } from "./stream-handler.ts";

const settings = readAwsSettings(process.env);
const { store } = await openStore(settings);
const service = serviceOn(store, settings, lambdaLog);

/** Answers the doorbell of the table's stream: the handler `on-stream.handler` of the template. */
export const handler = streamHandler(doorbell({ store, service, log: lambdaLog }), lambdaLog);
