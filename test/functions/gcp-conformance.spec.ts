import { app } from "../../functions/app.ts";
import { servedFunction } from "../support/functions-framework.ts";
import { httpConformance } from "./conformance/http-conformance.ts";

httpConformance("The function of Google Cloud", async (setting) => {
  const server = await servedFunction("command", { fetch: app(setting).fetch });
  return { fetch: (request) => fetch(new Request(request.url.replace("http://host", server.url), request)), close: server.close };
});
