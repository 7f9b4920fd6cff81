import type { AnswerBody } from "./functions-backend.ts";
import { LoadClient } from "./functions-load.ts";
import { Child, madeToken, type RunningServer, startServer, temporaryDirectory } from "./functions-server.ts";

/** The servers of one test, on a directory of their own. */
export class Serving {
  readonly path: string;
  readonly #remove: () => Promise<void>;
  readonly #children: Child[] = [];

  private constructor({ path, remove }: Awaited<ReturnType<typeof temporaryDirectory>>) {
    this.path = path;
    this.#remove = remove;
  }

  static async begin(): Promise<Serving> {
    return new Serving(await temporaryDirectory());
  }

  /** Starts a server and waits until it listens. */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
    const server = await startServer(this.path, environment);
    this.#children.push(server.child);
    return server;
  }

  /** Runs the server as another program would, or with an environment that keeps it from starting. */
  run(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}, isDetached = false): Child {
    const child = new Child(command, args, { DATA_DIR: this.path, ...environment }, isDetached);
    this.#children.push(child);
    return child;
  }

  async get(server: RunningServer, path: string): Promise<AnswerBody> {
    const authorization = `Bearer ${await madeToken(this.path, "acme")}`;
    return (await (await fetch(`${server.url}${path}`, { headers: { authorization } })).json()) as AnswerBody;
  }

  async clientOf(server: RunningServer): Promise<LoadClient> {
    return new LoadClient(server.url, await madeToken(this.path, "acme"), 32);
  }

  /** Kills what still runs. */
  async end(): Promise<void> {
    for (const child of this.#children) await child.kill("SIGKILL");
    await this.#remove();
  }
}
