import { readEdgeSettings } from "../edge-settings.ts";
import { httpApp, lambdaLog, openStore, serviceOn } from "./backend.ts";
import { httpHandler } from "./http-handler.ts";
import { readAwsSettings, readIssuerSettings } from "./settings.ts";

// All of this while the function starts: then Lambda gives it a whole processor, and a wrong setting fails the start and not a request.
const settings = readAwsSettings(process.env);
const issuer = readIssuerSettings(process.env);
const edge = readEdgeSettings(process.env);
const { store } = await openStore(settings);

/** Answers HTTP requests: the handler `http.handler` of the template. */
export const handler = httpHandler(httpApp(serviceOn(store, settings, lambdaLog), issuer, edge, lambdaLog), lambdaLog);
