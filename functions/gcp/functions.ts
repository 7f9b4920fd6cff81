import { tenantWithNews } from "../../adapters/firestore/index.ts";
import { json } from "../answers.ts";
import type { Ring } from "../doorbell.ts";
import type { Log } from "../log.ts";
import { problemOf, problemResponse, Refusal } from "../problem.ts";
import type { Sweep } from "../sweep.ts";
import { type HttpFunction, httpFunction } from "./http-function.ts";

/** What the functions are made of. */
export interface GoogleBackend {
  /** The HTTP application. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly ring: Ring;
  readonly sweep: Sweep;
  /** How long a trigger or a sweep may go on, in ms. */
  readonly budget: number;
}

/** The slice of a CloudEvent `google.cloud.firestore.document.v1.written` that is read; its payload is not. */
export interface DocumentEvent {
  /** `tenants/acme/log/open` */
  readonly document?: string;
  /** `documents/tenants/acme/log/open` */
  readonly subject?: string;
}

/** The functions that are deployed. */
export interface GoogleFunctions {
  /** Serves the HTTP application; open to everybody, because the application asks for tokens itself. */
  readonly command: HttpFunction;
  /** A doorbell: a document below `tenants/{tenant}/log` was written. */
  readonly onCommit: (event: DocumentEvent) => Promise<void>;
  /** Sweeps; for Cloud Scheduler alone. */
  readonly sweep: HttpFunction;
  /** The same for a schedule that is no HTTP request. */
  readonly sweepNow: () => Promise<void>;
}

/** Makes the functions; the backend is asked for at the first request or event, so that nothing is loaded before. */
export function googleFunctions(backend: () => Promise<GoogleBackend>, log: Log): GoogleFunctions {
  const sweepOnce = async () => {
    const { sweep, budget } = await backend();
    const swept = await sweep({ budget });
    log("INFO", "swept", { ...swept });
    return swept;
  };
  return {
    command: httpFunction(async (request) => (await backend()).fetch(request), log),
    onCommit: async ({ document, subject }) => {
      const tenant = tenantWithNews(document ?? subject ?? "");
      // Pages and marks of the log are written beside it; they are no news.
      if (tenant === undefined) return;
      const { ring, budget } = await backend();
      const { status, handled } = await ring(tenant, { budget });
      if (status === "unknown") log("WARNING", "a trigger named a tenant that there is not");
      else log("INFO", "rung", { tenant, status, handled });
    },
    sweep: httpFunction(async (request) => {
      if (request.method !== "POST") {
        const refusal = new Refusal("method_not_allowed", "use POST here", { headers: { allow: "POST" } });
        return problemResponse(problemOf(refusal));
      }
      return json(await sweepOnce());
    }, log),
    sweepNow: async () => {
      await sweepOnce();
    },
  };
}
