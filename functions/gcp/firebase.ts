import { setGlobalOptions } from "firebase-functions/v2";
import { onDocumentWritten } from "firebase-functions/v2/firestore";
import { onRequest } from "firebase-functions/v2/https";
import { onSchedule } from "firebase-functions/v2/scheduler";
import { commandsOf, examples } from "../composition.ts";
import { jsonLog } from "../log.ts";
import { googleBackend, lazily } from "./backend.ts";
import { googleFunctions } from "./functions.ts";
import { keepRequestsRaw } from "./raw-requests.ts";
import { readGoogleSettings } from "./settings.ts";

// What `firebase deploy` deploys: the three functions, as Firebase's SDK declares them.
const settings = readGoogleSettings(process.env, commandsOf(examples.aggregates));
const log = jsonLog((line) => process.stdout.write(line));
const functions = googleFunctions(
  lazily(() => googleBackend(examples, settings, log)),
  log,
);
// A group of functions stands before the name.
if (process.env.FUNCTION_TARGET?.split(".").at(-1) === "command") keepRequestsRaw();

// Few instances with many requests each, because commands of one tenant are grouped within an instance.
setGlobalOptions({ region: process.env.EVENANT_REGION ?? "us-central1", maxInstances: 10, timeoutSeconds: 60 });

/** The HTTP application. */
export const command = onRequest({ invoker: "public" }, functions.command);
/** Rings at every commit: the open log of a tenant's second life is `log/open-2`, hence the wildcard. */
export const onCommit = onDocumentWritten("tenants/{tenant}/log/{page}", ({ document }) => functions.onCommit({ document }));
/** Makes up for lost rings. */
export const sweep = onSchedule("every 1 minutes", functions.sweepNow);
