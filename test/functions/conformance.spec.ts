import { app } from "../../functions/app.ts";
import { listen } from "../../functions/server.ts";
import { httpConformance } from "./conformance/http-conformance.ts";
import { bareHost } from "./conformance/http-host.ts";

httpConformance("The bare application", bareHost);

httpConformance("The Node server", async (setting) => {
  const server = await listen(app(setting).fetch, { host: "127.0.0.1", port: 0 });
  return {
    fetch: (request) => fetch(new Request(request.url.replace("http://host", server.url), request)),
    close: () => server.stop(1_000),
  };
});
