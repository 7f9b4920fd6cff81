import { ClientError, errorOf } from "./client-error.ts";

/** Time and chance; for tests. */
export interface Clock {
  /** ms. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Resolves after so many ms, or as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** How a client sends. */
export interface Sending {
  readonly url: string;
  readonly token: () => string | Promise<string>;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

/** One request of an API call; its method is POST where there is a body. */
export interface Call {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal | undefined;
  /** How long all attempts may take together, in ms. */
  readonly deadline: number;
  readonly attempts: number;
}

/** How long one attempt may take, in ms: the server's own deadline, and a little for the way. */
const ATTEMPT = 12_000;
/** The first pause before another attempt is at most so long, each later one twice as long, up to the longest; in ms. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5_000;

/** The clock of the platform. */
export const platformClock: Clock = {
  now: () => performance.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal?.addEventListener("abort", wake, { once: true });
    }),
};

/**
 * Sends the same request until it is answered for good, the attempts or the deadline are used up, or the signal aborts.
 *
 * @throws {ClientError} of the last attempt; or the signal's reason
 */
export async function request<T>(sending: Sending, call: Call): Promise<T> {
  const { clock } = sending;
  const end = clock.now() + call.deadline;
  for (let attempt = 1; ; attempt++) {
    call.signal?.throwIfAborted();
    const token = await sending.token();
    const outcome = await attemptOnce(sending, call, token, Math.min(ATTEMPT, end - clock.now()));
    call.signal?.throwIfAborted();
    if (!(outcome instanceof ClientError)) return outcome.value as T;
    const pause = outcome.retryAfter + clock.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1));
    if (!outcome.isRetryable || attempt >= call.attempts || clock.now() + pause >= end) throw outcome;
    await clock.sleep(pause, call.signal);
  }
}

async function attemptOnce(
  { url, fetch }: Sending,
  { path, headers, body, signal }: Call,
  token: string,
  patience: number,
): Promise<ClientError | { readonly value: unknown }> {
  const timeout = AbortSignal.timeout(Math.max(0, Math.ceil(patience)));
  let status = 0;
  let text: string;
  try {
    const response = await fetch(url + path, {
      headers: { ...headers, authorization: `Bearer ${token}` },
      ...(body !== undefined && { method: "POST", body }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    text = await response.text();
    if (!response.ok) return errorOf(response.status, response.headers.get("retry-after"), text);
    status = response.status;
  } catch (cause) {
    return new ClientError("network", 0, "no answer came: check the connection, and send it again", { cause });
  }
  try {
    return { value: JSON.parse(text) };
  } catch {
    return errorOf(status, null, text);
  }
}
