import { createHash } from "node:crypto";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { Err, type Signal } from "../../core/index.ts";
import type { Acknowledgement, CloudEvent, IPublisher, OutgoingEvent } from "../../core/publishing.ts";
import { ForbiddenAddressError, guardedLookup, isPublicAddress } from "./addresses.ts";
import type { IHttp } from "./client.ts";
import { keyOfSecret, signaturesOf, type WebhookSecret } from "./signature.ts";

/** Where events go, and what they are signed with. */
export interface WebhookEndpoint {
  /** `https:`, without a user; redirects are not followed. */
  readonly url: string;
  /** The newest first; add a second one while the secret is rotated. */
  readonly secrets: readonly WebhookSecret[];
}

/** Settings of a webhook publisher. */
export interface WebhookPublisherOptions {
  /** The endpoint, or a function that gives an event's; undefined = that event is sent nowhere. */
  readonly endpoint:
    | WebhookEndpoint
    | ((event: CloudEvent) => WebhookEndpoint | undefined | Promise<WebhookEndpoint | undefined>);
  /** Which addresses may be called; default: those of the public Internet. */
  readonly isAllowed?: (address: string) => boolean;
  /** Whether `http:` is allowed, for use inside your own network; default false. */
  readonly plain?: boolean;
}

/** How much of an answer is read, in bytes: enough to keep the connection, too little to fill the memory. */
const MAX_ANSWER = 16 * 1024;
/** Answers that blame the event itself; all others (also 401, 404, 410 and redirects) mean that the endpoint needs its owner. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/** Posts each event to a webhook, signed as Standard Webhooks specifies: a 2xx answer acknowledges it. */
export class WebhookPublisher implements IPublisher {
  /** One event a request. */
  readonly limits = { events: 1, bytes: 1_000_000 };
  readonly #options: WebhookPublisherOptions;
  readonly #isAllowed: (address: string) => boolean;
  readonly #agents: Readonly<Record<string, http.Agent>>;

  /** @throws {Err} `invalid_argument` that says what is wrong with the endpoint. */
  constructor(options: WebhookPublisherOptions) {
    this.#options = options;
    this.#isAllowed = options.isAllowed ?? isPublicAddress;
    if (typeof options.endpoint !== "function") this.#checked(options.endpoint);
    const settings = { keepAlive: true, lookup: guardedLookup(this.#isAllowed) };
    this.#agents = { "http:": new http.Agent(settings), "https:": new https.Agent(settings) };
  }

  async publish([event]: readonly OutgoingEvent[], signal: Signal): Promise<Acknowledgement> {
    if (event === undefined) return { acknowledged: 0 };
    const { endpoint } = this.#options;
    const found = typeof endpoint === "function" ? await endpoint(event.cloudEvent) : endpoint;
    if (found === undefined) return { acknowledged: 1 };
    const { url, keys } = this.#checked(found);
    const status = await this.#post(url, keys, event, signal);
    if (status >= 200 && status < 300) return { acknowledged: 1 };
    const error = new Error(`the webhook answered ${status}`);
    return { acknowledged: 0, [REFUSALS.has(status) ? "refused" : "failed"]: error };
  }

  /** Closes connections that are kept open. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #checked({ url: text, secrets }: WebhookEndpoint): { readonly url: URL; readonly keys: readonly Buffer[] } {
    if (!URL.canParse(text)) throw Err.invalidArgument("url", "give the URL of the webhook");
    const url = new URL(text);
    const isSecure = url.protocol === "https:" || (url.protocol === "http:" && this.#options.plain === true);
    if (!isSecure || url.username !== "" || url.password !== "")
      throw Err.invalidArgument("url", "give an https: URL without a user");
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // A name is resolved and checked when it is called; an address never is resolved.
    if (isIP(host) !== 0 && !this.#isAllowed(host)) throw new ForbiddenAddressError(host, host);
    if (!Array.isArray(secrets) || secrets.length === 0 || secrets.length > 2)
      throw Err.invalidArgument("secrets", "give one or two");
    return { url, keys: secrets.map(keyOfSecret) };
  }

  #post(url: URL, keys: readonly Buffer[], { cloudEvent, json }: OutgoingEvent, signal: Signal): Promise<number> {
    const timestamp = Math.floor(Date.now() / 1_000);
    // An id may hold letters that no header takes.
    const id = createHash("sha256").update(cloudEvent.id).digest("base64url");
    const headers = {
      "content-type": "application/cloudevents+json; charset=UTF-8",
      "content-length": Buffer.byteLength(json),
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signaturesOf(keys, id, timestamp, json),
    };
    const agent = this.#agents[url.protocol] as http.Agent;
    const options = { method: "POST", headers, agent, signal: signal as AbortSignal };
    const client: IHttp = url.protocol === "https:" ? https : http;
    return new Promise((resolve, reject) => {
      const request = client.request(url, options, (response) => drain(response, () => resolve(response.statusCode ?? 0)));
      request.on("error", reject);
      // Unheard, an answer that changes the protocol (101) would end the request without a word.
      request.on("upgrade", ({ statusCode = 0 }, socket) => {
        socket.destroy();
        resolve(statusCode);
      });
      request.on("socket", (socket) => {
        // What was resolved was checked; this is what was reached.
        const check = () => {
          const { remoteAddress = "" } = socket;
          if (!this.#isAllowed(remoteAddress)) request.destroy(new ForbiddenAddressError(url.hostname, remoteAddress));
        };
        if (socket.connecting) socket.prependOnceListener("connect", check);
        else check();
      });
      request.end(json);
    });
  }
}

/** Reads an answer to its end, up to a limit: then the connection can serve again. */
function drain(response: IncomingMessage, done: () => void): void {
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER) response.destroy();
  });
  // The status is what counts, however the rest ends.
  response.on("error", () => {}).on("close", done);
}
