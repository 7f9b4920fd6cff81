import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { madeToken, startServer, temporaryDirectory } from "../support/functions-server.ts";
import { StreamClient } from "../support/functions-sse.ts";
import { seededRandom } from "../support/seeded-random.ts";

const SOCKETS = 40;
const TENANTS = 8;

/** A whole answer, as it lay on the wire. */
interface Answer {
  readonly key: string;
  readonly status: number;
  readonly body: { readonly aggregateId: string; readonly version: number; readonly commitId: string };
}

/** A connection on which one command follows another: every byte that came is looked at. */
class RawSender {
  readonly answers: Answer[] = [];
  /** What was asked and not answered when the connection ended: at most one command. */
  unanswered: string | undefined;
  /** The bytes of an answer that was begun and not finished. */
  rest = "";
  readonly #socket: Socket;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.#socket.setEncoding("latin1");
  }

  /** Sends until the connection ends. */
  async sendAll(token: string, name: string, onAnswer: () => void): Promise<void> {
    const socket = this.#socket;
    await once(socket, "connect");
    const isClosed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {});
    let index = 0;
    const next = () => {
      const key = `${name}-${index++}`;
      this.unanswered = key;
      const body = JSON.stringify({ aggregateId: `calc-${name}`, number1: index, number2: 0 });
      socket.write(
        `POST /commands/AddNumbers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nIdempotency-Key: ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    };
    socket.on("data", (text: string) => {
      this.rest += text;
      const answer = this.#whole();
      if (answer === undefined) return;
      this.answers.push({ key: this.unanswered as string, ...answer });
      this.unanswered = undefined;
      onAnswer();
      if (!answer.isLast && socket.writable) next();
      else socket.end();
    });
    next();
    await isClosed;
  }

  #whole() {
    const end = this.rest.indexOf("\r\n\r\n");
    if (end === -1) return undefined;
    const head = this.rest.slice(0, end);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    expect(length, head).to.be.above(0);
    const body = this.rest.slice(end + 4, end + 4 + length);
    if (body.length < length) return undefined;
    this.rest = this.rest.slice(end + 4 + length);
    return { status: Number(head.slice(9, 12)), body: JSON.parse(body), isLast: /^connection: close$/im.test(head) };
  }
}

describe("SIGTERM during load, seen on the wire", function () {
  this.timeout(40_000);

  for (const seed of [1, 2, 3]) {
    it(`cuts no answer, stores all that was acknowledged, and ends the streams (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const directory = await temporaryDirectory();
      const { child, url } = await startServer(directory.path);
      const tokens = await Promise.all(Array.from({ length: TENANTS }, (_, tenant) => madeToken(directory.path, `t${tenant}`)));
      const streams = tokens.flatMap((token) => [
        new StreamClient(`${url}/views/totals/stream`, token),
        new StreamClient(`${url}/aggregates/summing-calculators/calc-${seed}-0/stream`, token),
      ]);
      await Promise.all(streams.map((stream) => stream.until(({ status }) => status === 200)));

      const killAfter = 200 + random.below(800);
      let count = 0;
      const senders = Array.from({ length: SOCKETS }, () => new RawSender(url));
      await Promise.all(
        senders.map((sender, index) =>
          sender.sendAll(tokens[index % TENANTS] as string, `${seed}-${index}`, () => {
            if (++count === killAfter) child.process.kill("SIGTERM");
          }),
        ),
      );
      const { code, signal, stderr } = await child.ended;
      expect({ code, signal }, stderr).to.deep.equal({ code: 0, signal: null });
      expect(count).to.be.least(killAfter);

      const store = new SqliteEventStore({ path: join(directory.path, "evenant.db") });
      for (const [index, { answers, rest, unanswered }] of senders.entries()) {
        expect(rest, "bytes of an answer that was cut").to.equal("");
        for (const { key, status, body } of answers) {
          expect(status, JSON.stringify(body)).to.equal(200);
          const receipt = await store.receipt(`t${index % TENANTS}`, key);
          expect(receipt, key).to.include({ id: body.aggregateId, version: body.version });
        }
        // A command that was never answered may be stored or not: but not in part, and not twice.
        const { commits } = await store.load(
          { tenant: `t${index % TENANTS}`, type: "summing-calculators", id: `calc-${seed}-${index}` },
          { after: -1 },
        );
        const keys = commits.map(({ receipt }) => receipt?.commandId);
        const acknowledged = answers.map(({ key }) => key);
        expect([acknowledged, [...acknowledged, unanswered]], `socket ${index}`).to.deep.include(keys);
      }
      await store.close();

      for (const stream of streams) {
        expect(await stream.ended, "an answer in parts has an end, too").to.equal("ended");
        expect(stream.events.at(-1)).to.deep.include({ event: "end", data: { reason: "stopping" } });
        expect(stream.retry).to.be.within(1_000, 2_000);
      }
      await directory.remove();
    });
  }
});
