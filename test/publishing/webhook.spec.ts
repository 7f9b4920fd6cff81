import { createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import { expect } from "chai";
import { isPublicAddress, WebhookPublisher, type WebhookPublisherOptions } from "../../adapters/webhook/index.ts";
import { Err } from "../../core/index.ts";
import type { OutgoingEvent } from "../../core/publishing.ts";
import { outgoingEvent } from "../support/outgoing-event.ts";
import { rejects } from "../support/rejects.ts";
import { thrown } from "../support/thrown.ts";

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly url: string;
}

const secretOf = (key: Buffer) => `whsec_${key.toString("base64")}`;
const KEY = randomBytes(32);
const OLD_KEY = randomBytes(24);

describe("Publishing to a webhook", () => {
  const received: Received[] = [];
  const publishers: WebhookPublisher[] = [];
  let answer: (response: ServerResponse) => void = (response) => response.end();
  let connections = 0;
  let server: Server;
  let port = 0;

  before(async () => {
    server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request.setEncoding("utf8")) body += chunk;
      received.push({ headers: request.headers, body, url: request.url ?? "" });
      answer(response);
    });
    server.on("connection", () => connections++);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as { port: number }).port;
  });

  beforeEach(() => {
    received.length = 0;
    connections = 0;
    answer = (response) => response.end();
  });

  after(async () => {
    for (const publisher of publishers) publisher.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function made(options: Partial<WebhookPublisherOptions> & { host?: string; path?: string; secrets?: string[] } = {}) {
    const { host = "127.0.0.1", path = "/hook", secrets = [secretOf(KEY)], ...rest } = options;
    const endpoint = { url: `http://${host}:${port}${path}`, secrets };
    const publisher = new WebhookPublisher({ endpoint, plain: true, isAllowed: (address) => address === "127.0.0.1", ...rest });
    publishers.push(publisher);
    return publisher;
  }

  const never = new AbortController().signal;
  const event = outgoingEvent("acme", "Zürich/1", 3);
  const publish = (publisher: WebhookPublisher, it: OutgoingEvent = event) => publisher.publish([it], never);

  it("posts the cloud event, signed as Standard Webhooks says, under an id that stays the same", async () => {
    const publisher = made();
    for (let time = 0; time < 2; time++) expect(await publish(publisher)).to.deep.equal({ acknowledged: 1 });
    const [first, second] = received;
    expect(JSON.parse(first!.body)).to.deep.equal(JSON.parse(JSON.stringify(event.cloudEvent)));
    expect(first!.url).to.equal("/hook");
    expect(first!.headers["content-type"]).to.equal("application/cloudevents+json; charset=UTF-8");
    const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } = first!.headers;
    expect(id).to.equal(second!.headers["webhook-id"]);
    expect(Math.abs(Number(timestamp) - Date.now() / 1_000)).to.be.below(5);
    const expected = createHmac("sha256", KEY).update(`${id}.${timestamp}.${first!.body}`).digest("base64");
    expect(signature).to.equal(`v1,${expected}`);
    expect(connections).to.equal(1);
  });

  it("signs with both secrets while the receiver changes over", async () => {
    await publish(made({ secrets: [secretOf(KEY), secretOf(OLD_KEY)] }));
    const { headers, body } = received[0]!;
    const sign = (key: Buffer) =>
      `v1,${createHmac("sha256", key).update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`).digest("base64")}`;
    expect(headers["webhook-signature"]).to.equal(`${sign(KEY)} ${sign(OLD_KEY)}`);
  });

  it("goes to the endpoint of the event's tenant, and is done where there is none", async () => {
    const endpoint = { url: `http://127.0.0.1:${port}/acme`, secrets: [secretOf(KEY)] };
    const publisher = made({ endpoint: async ({ tenant }) => (tenant === "acme" ? endpoint : undefined) });
    expect(await publish(publisher)).to.deep.equal({ acknowledged: 1 });
    expect(await publish(publisher, outgoingEvent("globex", "a", 0))).to.deep.equal({ acknowledged: 1 });
    expect(received.map(({ url }) => url)).to.deep.equal(["/acme"]);
  });

  for (const [status, what] of [
    [400, "refused"],
    [413, "refused"],
    [415, "refused"],
    [422, "refused"],
    [301, "failed"],
    [307, "failed"],
    [401, "failed"],
    [404, "failed"],
    [408, "failed"],
    [410, "failed"],
    [429, "failed"],
    [500, "failed"],
    [503, "failed"],
  ] as const) {
    it(`takes the answer ${status} as ${what}, and follows it nowhere`, async () => {
      answer = (response) => void response.writeHead(status, { location: `http://127.0.0.1:${port}/elsewhere` }).end("why");
      const outcome = await publish(made());
      expect(outcome.acknowledged).to.equal(0);
      expect((outcome[what] as Error).message).to.equal(`the webhook answered ${status}`);
      expect(received).to.have.length(1);
    });
  }

  it("reads a bounded part of an endless answer", async () => {
    let sent = 0;
    answer = (response) => {
      const more = () => {
        while (!response.destroyed && sent < 50_000_000) {
          sent += 16_384;
          if (!response.write("x".repeat(16_384))) return void response.once("drain", more);
        }
      };
      more();
    };
    expect(await publish(made())).to.deep.equal({ acknowledged: 1 });
    expect(sent).to.be.below(20_000_000);
  });

  it("fails at once where the answer changes the protocol", async () => {
    answer = ({ socket }) =>
      void socket?.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
    const { acknowledged, failed } = await publish(made());
    expect([acknowledged, (failed as Error).message]).to.deep.equal([0, "the webhook answered 101"]);
  });

  it("gives up at the deadline", async () => {
    answer = () => {};
    const deadline = new AbortController();
    const outcome = made().publish([event], deadline.signal);
    while (received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    deadline.abort();
    const error = await rejects(Error, outcome);
    expect(error.name).to.equal("AbortError");
  });

  it("refuses a host that resolves to a private address, before a byte is sent", async () => {
    for (const host of ["localhost", "LOCALHOST"]) {
      const error = await rejects(Error, publish(made({ host, isAllowed: isPublicAddress })));
      expect(error.name).to.equal("ForbiddenAddressError");
    }
    expect([received.length, connections]).to.deep.equal([0, 0]);
  });

  it("checks the address that it has reached, too: a name that resolves to another one the next time helps nobody", async () => {
    // The first answer decides what is connected to; from then on the address counts as forbidden.
    let asked = 0;
    const publisher = made({ host: "localhost", isAllowed: (address) => asked++ === 0 && address === "127.0.0.1" });
    const error = await rejects(Error, publish(publisher));
    expect(error.name).to.equal("ForbiddenAddressError");
    expect(received).to.deep.equal([]);
  });

  it("refuses addresses however they are spelled, and URLs that are not meant for this", () => {
    const refused = (url: string, options = {}) => {
      const endpoint = { url, secrets: [secretOf(KEY)] };
      return thrown(Error, () => new WebhookPublisher({ endpoint, ...options })).name;
    };
    for (const host of ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "10.1.2.3", "169.254.169.254", "0"])
      expect(refused(`https://${host}/`), host).to.equal("ForbiddenAddressError");
    for (const host of [
      "[::1]",
      "[::]",
      "[::ffff:127.0.0.1]",
      "[::ffff:a00:1]",
      "[fe80::1]",
      "[fd00::1]",
      "[64:ff9b::7f00:1]",
      "[2002:7f00:1::]",
    ])
      expect(refused(`https://${host}/`), host).to.equal("ForbiddenAddressError");
    for (const url of ["http://shop.example/", "https://user:word@shop.example/", "file:///etc/passwd", "nonsense"])
      expect(refused(url), url).to.equal("Err");
  });

  it("knows what is public", () => {
    const all = (addresses: readonly string[]) => addresses.map((address) => isPublicAddress(address));
    expect(all(["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"])).to.not.include(false);
    expect(
      all([
        ...["127.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"],
        ...["224.0.0.1", "255.255.255.255", "198.18.0.1", "::", "::1", "::ffff:8.8.8.8", "fe80::1", "fc00::1", "ff02::1"],
        ...["2001::1", "2001:db8::1", "2002:a00:1::", "64:ff9b::808:808", "fec0::1", "", "shop.example"],
      ]),
    ).to.not.include(true);
  });

  it("refuses secrets that are none, and does not show them", () => {
    const endpointOf = (...secrets: string[]) => ({ url: "https://shop.example/", secrets });
    const short = secretOf(randomBytes(23));
    for (const endpoint of [
      endpointOf(),
      endpointOf("secret"),
      endpointOf(short),
      endpointOf(secretOf(KEY), secretOf(KEY), secretOf(KEY)),
    ]) {
      const { message } = thrown(Err, () => new WebhookPublisher({ endpoint }));
      expect(message).to.contain("secrets").and.not.to.contain(short);
    }
  });
});
