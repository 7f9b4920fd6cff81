import { defaultPlatform, type Json } from "../core/index.ts";
import type { StreamSetting } from "./event-stream-setting.ts";

/** Why a stream ends that was not the client's doing. */
export type EndReason = "expired" | "stopping" | "refused" | "failed";

const encoder = new TextEncoder();
const HEARTBEAT = encoder.encode(":\n\n");
/** How long the last words of a stream may take to be read, in ms. */
const LAST_WORDS = 2_000;

/** One event as it goes over the wire; an empty id says that there is nothing to resume from yet. */
export function encodeEvent(event: string, id: string, data: Json): Uint8Array {
  return encoder.encode(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
}

/**
 * One answer that goes on: server-sent events to one client, with a buffer that is bounded.
 *
 * It ends with its token or its lifetime, when the process stops, and when the client leaves or stops reading.
 */
export class EventStream {
  readonly response: Response;
  readonly #setting: StreamSetting;
  readonly #over = new AbortController();
  readonly #heart: ReturnType<typeof setInterval>;
  readonly #end: ReturnType<typeof setTimeout>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #onRead: (() => void) | undefined;

  /** `expiresAt` in ms since 1970: when the token ends. */
  constructor(setting: StreamSetting, expiresAt: number, stopping: AbortSignal | undefined) {
    this.#setting = setting;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#onRead?.(),
        cancel: () => this.#leave(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: setting.buffer }),
    );
    const headers = { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" };
    this.response = new Response(body, { headers });
    this.#controller.enqueue(encoder.encode(`retry: ${this.#retry()}\n\n`));
    this.#heart = setInterval(() => this.send(HEARTBEAT), setting.heartbeat);
    const left = Math.min(expiresAt - defaultPlatform.now(), setting.lifetime);
    this.#end = setTimeout(() => this.end("expired"), Math.max(0, left));
    const stop = () => this.end("stopping");
    stopping?.addEventListener("abort", stop, { once: true });
    this.signal.addEventListener("abort", () => stopping?.removeEventListener("abort", stop), { once: true });
  }

  /** Aborts as soon as the stream is over, whoever ended it. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** How many bytes may wait for the client, beside one event. */
  get buffer(): number {
    return this.#setting.buffer;
  }

  /** Takes an encoded event, unless the stream is over or its buffer is full: then it returns false, and the event is not sent. */
  send(chunk: Uint8Array): boolean {
    if (!this.#hasRoom) return false;
    this.#controller.enqueue(chunk);
    return true;
  }

  /** Waits until the buffer has room; false once the stream is over. Cuts off a client that does not read within the patience. */
  async room(): Promise<boolean> {
    if (!this.signal.aborted && !this.#hasRoom) {
      const waited = new AbortController();
      const isLate = defaultPlatform.sleep(this.#setting.patience, AbortSignal.any([this.signal, waited.signal]));
      const hasRead = new Promise<void>((resolve) => {
        this.#onRead = resolve;
      });
      await Promise.race([isLate, hasRead]);
      waited.abort();
      this.#onRead = undefined;
      if (!this.#hasRoom) this.cut();
    }
    return !this.signal.aborted;
  }

  /** Says why it is over and when to come back, and closes. */
  end(reason: EndReason): void {
    if (this.signal.aborted) return;
    const words = `retry: ${this.#retry()}\nevent: end\ndata: ${JSON.stringify({ reason })}\n\n`;
    this.#leave();
    this.#controller.enqueue(encoder.encode(words));
    this.#controller.close();
    setTimeout(() => this.#controller.error(cutOff()), LAST_WORDS).unref();
  }

  /** Cuts the connection; what is in the buffer is dropped. */
  cut(): void {
    if (this.signal.aborted) return;
    this.#leave();
    this.#controller.error(cutOff());
  }

  get #hasRoom(): boolean {
    return !this.signal.aborted && (this.#controller.desiredSize ?? 0) > 0;
  }

  #leave(): void {
    clearInterval(this.#heart);
    clearTimeout(this.#end);
    this.#over.abort();
  }

  /** Jittered, so that the clients of a stopping process do not come back all at once. */
  #retry(): number {
    return Math.round(this.#setting.retry * (1 + defaultPlatform.random()));
  }
}

/** The code by which servers know that a connection was cut on purpose, which they need not report as their failure. */
function cutOff(): Error {
  return Object.assign(new Error("the client did not read its stream"), { code: "ERR_STREAM_PREMATURE_CLOSE" });
}
