import type { Actor } from "../core/index.ts";
import type { Authenticator } from "./auth.ts";
import type { Service } from "./composition.ts";
import type { StreamSetting } from "./event-stream-setting.ts";
import type { FairShare } from "./fair-queue.ts";
import type { Log } from "./log.ts";
import type { ApiInfo } from "./openapi/document.ts";
import type { RateLimits } from "./rate-limit.ts";

/** What the application is made of; the same on a server, in a cloud function and in a test. */
export interface AppSetting {
  readonly service: Service;
  readonly authenticate: Authenticator;
  readonly log?: Log;
  /** How long a request may take, in ms; default 10,000. A command that takes longer may still be carried out. */
  readonly deadline?: number;
  /** How long `?position=` waits for a view, in ms; default 5,000. */
  readonly patience?: number;
  /** How much of the process the commands of one tenant may take. */
  readonly fairShare?: Partial<FairShare>;
  /** Bounds of the event streams; each has a default. `false` where answers cannot be streamed (501). */
  readonly streams?: Partial<StreamSetting> | false;
  /** Aborts when the process is about to stop: nobody waits for a view any more, and /healthz says so. */
  readonly stopping?: AbortSignal;
  /** What /openapi.json says of the application as a whole. */
  readonly api?: ApiInfo;
  /** Pages of these origins (scheme, host, port) may call from a browser; default: none. */
  readonly origins?: readonly string[];
  /** How much a tenant and an actor may ask of this process; default: as much as they want. */
  readonly rateLimits?: RateLimits;
  /** The Google Cloud project whose traces the log names; default: traces are logged by their id alone. */
  readonly traceProject?: string;
}

/** What the parts of a request's way through the application know. */
export interface AppEnv {
  Variables: {
    requestId: string;
    actor: Actor;
    command?: string;
    /** The time of the request was over, and it is answered: nobody hears what comes of it any more. */
    isLate?: boolean;
    /** The code of the problem that is answered. */
    problem?: string;
    /** What failed inside. */
    failure?: unknown;
  };
}
