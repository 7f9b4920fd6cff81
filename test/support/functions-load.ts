import { Agent, request } from "node:http";
import type { AnswerBody } from "./functions-backend.ts";

/** A command as a client sends it, with the key that makes it safe to send again. */
export interface SentCommand {
  readonly key: string;
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What the client saw: a whole answer, no answer at all, or one that was cut in the middle. */
export type Seen =
  | { readonly kind: "answered"; readonly status: number; readonly body: AnswerBody & { readonly replayed: boolean } }
  | { readonly kind: "unanswered"; readonly error: string }
  | { readonly kind: "cut"; readonly text: string };

/** A client that keeps its connections alive. */
export class LoadClient {
  readonly #agent: Agent;
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string, connections: number) {
    this.#url = url;
    this.#token = token;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Sends one command, once. */
  send({ key, name, data }: SentCommand): Promise<Seen> {
    const body = JSON.stringify(data);
    return new Promise((resolve) => {
      const outgoing = request(`${this.#url}/commands/${name}`, {
        agent: this.#agent,
        method: "POST",
        headers: {
          authorization: `Bearer ${this.#token}`,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          "idempotency-key": key,
        },
      });
      outgoing.on("error", (error) => resolve({ kind: "unanswered", error: error.message }));
      outgoing.on("response", (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk) => {
          text += chunk;
        });
        incoming.on("error", () => resolve({ kind: "cut", text }));
        incoming.on("end", () => resolve({ kind: "answered", status: incoming.statusCode ?? 0, body: JSON.parse(text) }));
      });
      outgoing.end(body);
    });
  }

  /**
   * Sends commands, `lanes` at a time and each lane in order, until all are sent, one is not answered, or `onSeen`, which hears of each,
   * returns "enough"; those in flight then are waited for.
   */
  async sendAll(
    commands: readonly SentCommand[],
    lanes: number,
    onSeen: (seen: Seen, command: SentCommand, lane: number) => unknown,
  ): Promise<void> {
    let next = 0;
    let isOver = false;
    const lane = async (number: number) => {
      while (next < commands.length && !isOver) {
        const command = commands[next++] as SentCommand;
        const seen = await this.send(command);
        if (onSeen(seen, command, number) === "enough" || seen.kind !== "answered") isOver = true;
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  }

  close(): void {
    this.#agent.destroy();
  }
}
