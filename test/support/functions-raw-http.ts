import { connect } from "node:net";

/** Sends bytes as they are and gives the whole answer as text: for what a well-behaved client would never send. */
export function sendRaw(url: string, request: string | Uint8Array): Promise<{ status: number; head: string; body: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(request));
    let text = "";
    socket.setEncoding("utf8");
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      text += chunk;
      const end = text.indexOf("\r\n\r\n");
      if (end === -1) return;
      const head = text.slice(0, end);
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      const body = text.slice(end + 4);
      if (Buffer.byteLength(body) < length) return;
      socket.destroy();
      resolve({ status: Number(head.slice(9, 12)), head, body });
    });
    socket.on("close", () => reject(new Error(`the connection was closed after ${JSON.stringify(text)}`)));
  });
}

/** A GET request with its target as it is given. */
export function rawGet(target: string, token: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;
}
