// npm run bench:dynamodb [-- --duration=4000]: commands on one tenant, on dynoxide. Requests and units count; the wall clock is an emulator's.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { DynamoDbEventStore, ensureTable } from "../adapters/dynamodb/index.ts";
import { dynamoDbEndpoint } from "../test/support/dynamodb-server.ts";

const { values } = parseArgs({ options: { duration: { type: "string", default: "4000" } } });
const ENGINES = ["evenant", "castore", "parent"] as const;
const LOADS = [
  { processes: 1, inFlight: 1 },
  { processes: 1, inFlight: 16 },
  { processes: 4, inFlight: 1 },
  { processes: 4, inFlight: 16 },
  { processes: 8, inFlight: 1 },
] as const;

interface Told {
  readonly commands: number;
  readonly seconds: number;
  readonly requests: number;
  readonly units: number;
}

const endpoint = await dynamoDbEndpoint();
const client = new DynamoDB({ endpoint, region: "local", credentials: { accessKeyId: "bench", secretAccessKey: "bench" } });

console.log(
  "| engine | processes | in flight each | commands/s (emulator) | slowest process | requests a command | units a command |",
);
console.log("|---|---|---|---|---|---|---|");
for (const { processes, inFlight } of LOADS) {
  for (const engine of ENGINES) {
    const table = `bench-${engine}-${processes}-${inFlight}`;
    await ensureTable(client, table);
    await new DynamoDbEventStore(DynamoDBDocument.from(client), { table }).open("bench");
    // Together on purpose: they share the tenant.
    const told = await Promise.all(Array.from({ length: processes }, (_, n) => run(engine, table, `p${n}`, inFlight)));
    const total = (fact: keyof Told) => told.reduce((sum, one) => sum + one[fact], 0);
    const rates = told.map(({ commands, seconds }) => commands / seconds);
    const rate = rates.reduce((sum, one) => sum + one, 0);
    const share = `${Math.round((Math.min(...rates) / rate) * processes * 100)} % of its share`;
    const [requests, units] = [total("requests") / total("commands"), total("units") / total("commands")];
    console.log(
      `| ${engine} | ${processes} | ${inFlight} | ${Math.round(rate)} | ${share} | ${requests.toFixed(2)} | ${units.toFixed(2)} |`,
    );
  }
}
client.destroy();

async function run(engine: string, table: string, name: string, inFlight: number): Promise<Told> {
  const script = fileURLToPath(new URL("dynamodb-sender.ts", import.meta.url));
  const facts = [engine, endpoint, table, name, String(inFlight), values.duration];
  const child = spawn(process.execPath, [script, ...facts], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (part) => {
    text += String(part);
  });
  await once(child, "close");
  return JSON.parse(text) as Told;
}
