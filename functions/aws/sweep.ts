import { sweeper } from "../sweep.ts";
import { lambdaLog, openStore, serviceOn } from "./backend.ts";
import { once } from "./once.ts";
import { readAwsSettings, readPolls } from "./settings.ts";
import { sweepHandler } from "./sweep-handler.ts";

const settings = readAwsSettings(process.env);
const sweep = once(async () => {
  const { store, place } = await openStore(settings);
  return sweeper({ store, service: serviceOn(store, settings, lambdaLog), place, log: lambdaLog });
});

/** Reads whoever is behind, on schedule: the handler `sweep.handler` of the template. */
export const handler = sweepHandler(sweep, { polls: readPolls(process.env) }, lambdaLog);
