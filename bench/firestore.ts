// npm run bench:firestore [-- seconds]: commands a second on the emulator, alone, 32 in flight, and from 1, 4 and 8 processes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { firestoreEmulator } from "../test/support/firestore-emulator.ts";
import { firestoreClient, newProject } from "../test/support/firestore-store.ts";
import { designs } from "./firestore-designs.ts";

const [first = "4", ...job] = process.argv.slice(2);
if (first === "sender") await send(job);
else await measureAll(Number(first));

/** A process of its own: waits for the common start, sends until the time is over, and tells how many commands succeeded. */
async function send([
  name = "",
  projectId = "",
  tenant = "",
  prefix = "",
  inFlight = "1",
  startAt = "0",
  seconds = "1",
]: readonly string[]) {
  const client = await firestoreClient(projectId);
  const command = await designs.find((design) => design.name === name)?.sender(client, tenant);
  if (command === undefined) throw new Error(`no design is named ${name}`);
  await command(`${prefix}-warm`).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, Number(startAt) - Date.now())));
  const end = Date.now() + Number(seconds) * 1_000;
  let done = 0;
  const lane = async (id: string) => {
    while (Date.now() < end) {
      const isDone = await command(id).then(
        () => true,
        () => false,
      );
      if (isDone && Date.now() < end) done += 1;
    }
  };
  await Promise.all(Array.from({ length: Number(inFlight) }, (_, n) => lane(`${prefix}-${n}`)));
  console.log(done);
  process.exit(0);
}

async function measureAll(seconds: number): Promise<void> {
  console.log(
    `Commands a second on one tenant, each with a snapshot, ${seconds} s each, Firestore emulator, Node ${process.version}\n`,
  );
  console.log("| design | 1 in flight | 32 in flight | 4 processes | slowest of 4 | 8 processes | slowest of 8 |");
  console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
  for (const { name } of designs) {
    const alone = await measure(name, 1, 1, seconds);
    const many = await measure(name, 1, 32, seconds);
    const four = await measure(name, 4, 1, seconds);
    const eight = await measure(name, 8, 1, seconds);
    const share = ({ total, least }: Rate, processes: number) =>
      total === 0 ? "-" : `${Math.round((100 * least * processes) / total)}%`;
    const cells = [alone.total, many.total, four.total, share(four, 4), eight.total, share(eight, 8)];
    console.log(`| ${name} | ${cells.map((cell) => (typeof cell === "number" ? cell.toFixed(1) : cell)).join(" | ")} |`);
  }
  console.log("\nSlowest: the slowest process' rate as a share of the mean of all.");
}

interface Rate {
  readonly total: number;
  readonly least: number;
}

async function measure(name: string, processes: number, inFlight: number, seconds: number): Promise<Rate> {
  const { host } = await firestoreEmulator();
  const [projectId, startAt] = [newProject(), Date.now() + 2_500 + processes * 500];
  const rates = await Promise.all(
    Array.from({ length: processes }, async (_, n) => {
      const facts = ["sender", name, projectId, "bench", `p${n}`, inFlight, startAt, seconds].map(String);
      const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...facts], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, FIRESTORE_EMULATOR_HOST: host },
      });
      let told = "";
      child.stdout.on("data", (text: Buffer) => {
        told += text;
      });
      await once(child, "close");
      return Number(told) / seconds;
    }),
  );
  return { total: rates.reduce((sum, rate) => sum + rate, 0), least: Math.min(...rates) };
}
