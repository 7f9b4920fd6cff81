import { cloudEvent, http } from "@google-cloud/functions-framework";
import { commandsOf, examples } from "../composition.ts";
import { jsonLog } from "../log.ts";
import { googleBackend, lazily } from "./backend.ts";
import { type DocumentEvent, googleFunctions } from "./functions.ts";
import { keepRequestsRaw } from "./raw-requests.ts";
import { readGoogleSettings } from "./settings.ts";

// What `gcloud functions deploy` deploys: the three functions, for the framework that Google runs them in.
const settings = readGoogleSettings(process.env, commandsOf(examples.aggregates));
const log = jsonLog((line) => process.stdout.write(line));
const { command, onCommit, sweep } = googleFunctions(
  lazily(() => googleBackend(examples, settings, log)),
  log,
);
// A group of functions stands before the name.
if (process.env.FUNCTION_TARGET?.split(".").at(-1) === "command") keepRequestsRaw();
http("command", command);
cloudEvent("onCommit", (event: DocumentEvent) => onCommit(event));
http("sweep", sweep);
