import { sweeper } from "../sweep.ts";
import { lambdaLog, openStore, serviceOn } from "./backend.ts";
import { readAwsSettings, readPolls } from "./settings.ts";
import { sweepHandler } from "./sweep-handler.ts";

const settings = readAwsSettings(process.env);
const polls = readPolls(process.env);
const { store, place } = await openStore(settings);
const service = serviceOn(store, settings, lambdaLog);

/** Reads whoever is behind, on schedule: the handler `sweep.handler` of the template. */
export const handler = sweepHandler(sweeper({ store, service, place, log: lambdaLog }), { polls }, lambdaLog);
