import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A record as another client finds it. */
export interface KafkaRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly payload: string;
  readonly headers: readonly string[];
}

/** librdkafka's mock cluster of one broker, in a process of kcat; its data ends with it. */
export interface KafkaCluster {
  readonly port: number;
  /** Everything in a topic, read by kcat, by partition and offset. */
  readonly records: (topic: string) => Promise<readonly KafkaRecord[]>;
  readonly close: () => Promise<void>;
}

const MISSING = "kcat is missing: apt-get install kcat brings it (its librdkafka speaks the broker's side too)";

/** Skips a suite where there is no kcat, loudly; fails where `CI` is set. */
export function needsKafka(context: { skip(): unknown }): void {
  if (spawnSync("kcat", ["-V"]).error === undefined) return;
  if (process.env.CI) throw new Error(MISSING);
  console.warn(`\n  SKIPPED: ${MISSING}\n`);
  context.skip();
}

/** Starts a cluster on a free port of 127.0.0.1. */
export async function kafkaCluster(): Promise<KafkaCluster> {
  // Debian's kcat is built without -M; the property asks librdkafka for the same cluster. It lives as long as this consumer.
  const options = ["-b", "mock", "-X", "test.mock.num.brokers=1", "-X", "fetch.wait.max.ms=1000", "-d", "mock"];
  const child = spawn("kcat", [...options, "-C", "-t", "alive"], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const lines = createInterface({ input: child.stderr });
  const port = await new Promise<number>((resolve, reject) => {
    lines.on("line", (line) => {
      const found = /bootstrap\.servers=127\.0\.0\.1:(\d+)/.exec(line);
      if (found) resolve(Number(found[1]));
    });
    child.once("exit", (code) => reject(new Error(`kcat ended with ${code}`)));
  });
  return {
    port,
    records: (topic) => consume(port, topic),
    close: async () => {
      process.removeListener("exit", kill);
      kill();
      await ended;
    },
  };
}

async function consume(port: number, topic: string): Promise<readonly KafkaRecord[]> {
  const child = spawn("kcat", ["-b", `127.0.0.1:${port}`, "-C", "-t", topic, "-e", "-q", "-J"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const records: KafkaRecord[] = [];
  let text = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) text += chunk;
  // Not by readline, for which a line also ends at U+2028.
  for (const line of text.split("\n")) if (line !== "") records.push(JSON.parse(line));
  if (child.exitCode === null) await once(child, "exit");
  if (child.exitCode !== 0) throw new Error(`kcat ended with ${child.exitCode}`);
  return records.sort((one, other) => one.partition - other.partition || one.offset - other.offset);
}
