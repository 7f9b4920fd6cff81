import type { IncomingMessage, RequestOptions } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** The slice of `node:https` that the publisher uses; `node:http` has it too. */
export interface IHttp {
  request(url: URL, options: RequestOptions, answered: (response: IncomingMessage) => void): IHttpRequest;
}

/** A request under way. */
export interface IHttpRequest {
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "upgrade", listener: (response: IncomingMessage, socket: Duplex) => void): unknown;
  on(event: "socket", listener: (socket: Socket) => void): unknown;
  destroy(error: Error): unknown;
  end(body: string): unknown;
}
