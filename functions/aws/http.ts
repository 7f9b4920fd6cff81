import { httpApp, lambdaLog, openStore, serviceOn } from "./backend.ts";
import { httpHandler } from "./http-handler.ts";
import { once } from "./once.ts";
import { readAwsSettings, readIssuerSettings } from "./settings.ts";

// Read when the function starts, so that a wrong setting fails the start and not a request.
const settings = readAwsSettings(process.env);
const issuer = readIssuerSettings(process.env);
const application = once(async () => {
  const { store } = await openStore(settings);
  return httpApp(serviceOn(store, settings, lambdaLog), issuer, lambdaLog);
});

/** Answers HTTP requests: the handler `http.handler` of the template. */
export const handler = httpHandler(application);
