import { join } from "node:path";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { type PositionedCommit, StreamReader } from "../../core/index.ts";
import { Totals } from "../../examples/calculator/index.ts";
import type { AnswerBody } from "../support/functions-backend.ts";
import { LoadClient, type SentCommand } from "../support/functions-load.ts";
import { madeToken, type RunningServer, startServer, temporaryDirectory } from "../support/functions-server.ts";
import { seededRandom } from "../support/seeded-random.ts";

const ROUNDS = 20;
const COMMANDS = 1_000;
const IN_FLIGHT = 32;
const AGGREGATES = 10;

type Acknowledgement = AnswerBody & { readonly lane: number };

/** The commands of one round: additions to a few shared aggregates, each with a key of its own. */
function commandsOf(seed: number): readonly SentCommand[] {
  const random = seededRandom(seed);
  return Array.from({ length: COMMANDS }, (_, index) => ({
    key: `${seed}-${index}`,
    name: "AddNumbers",
    data: { aggregateId: `calc${random.below(AGGREGATES)}`, number1: random.below(1_000), number2: index },
  }));
}

describe("kill -9 in the middle of 1,000 commands", function () {
  this.timeout(60_000);
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: RunningServer;
  let store: SqliteEventStore;
  /** Commands that were stored although their answer never came. */
  let inDoubt = 0;

  before(async () => {
    directory = await temporaryDirectory();
    server = await startServer(directory.path);
    store = new SqliteEventStore({ path: join(directory.path, "evenant.db") });
  });
  after(async () => {
    await store.close();
    await server.child.kill("SIGKILL");
    await directory.remove();
  });

  for (let seed = 1; seed <= ROUNDS; seed++) {
    it(`loses and doubles nothing that was acknowledged (seed ${seed})`, async () => {
      const tenant = `round${seed}`;
      const random = seededRandom(seed + 1_000);
      const commands = commandsOf(seed);
      const token = await madeToken(directory.path, tenant);
      const acknowledged = new Map<string, Acknowledgement>();

      const killAfter = 50 + random.below(800);
      const delay = random.next() * 4;
      let ended: Promise<unknown> | undefined;
      let lost = 0;
      await withClient(server, token, (client) =>
        client.sendAll(commands, IN_FLIGHT, (seen, { key }, lane) => {
          if (seen.kind !== "answered") return;
          expect(seen.status, `seed ${seed}`).to.equal(200);
          if (acknowledged.size < killAfter) {
            acknowledged.set(key, { ...seen.body, lane });
            return;
          }
          // From here on the client hears nothing, as if the blow had cut its answers off: what was committed is in doubt.
          // The blow itself comes a little later, so that it falls anywhere between two groups of commits.
          if (lost++ === 0) setTimeout(() => (ended = server.child.kill("SIGKILL")), delay);
        }),
      );
      await server.child.ended;
      await ended;
      expect(acknowledged.size, `seed ${seed}: the server was killed in the middle`).to.be.within(killAfter, COMMANDS - 1);
      const before = new Map(acknowledged);

      server = await startServer(directory.path);
      const resent = commands.filter(({ key }, index) => !acknowledged.has(key) || index % 10 === 0);
      let replays = 0;
      await withClient(server, token, (client) =>
        client.sendAll(resent, IN_FLIGHT, (seen, { key }, lane) => {
          if (seen.kind !== "answered") throw new Error(`seed ${seed}: ${JSON.stringify(seen)}`);
          expect(seen.status, `seed ${seed}: ${JSON.stringify(seen.body)}`).to.equal(200);
          const first = acknowledged.get(key);
          if (seen.body.replayed) replays++;
          if (seen.body.replayed && !before.has(key)) inDoubt++;
          if (first === undefined) acknowledged.set(key, { ...seen.body, lane });
          else expect(pick(seen.body), `seed ${seed}: the first answer again`).to.deep.equal(pick(first));
        }),
      );
      expect(replays, `seed ${seed}`).to.be.least(resent.filter(({ key }) => before.has(key)).length);

      const commits = await allCommits(store, tenant);
      expectComplete(commits, commands, seed);
      expectAcknowledged(commits, acknowledged, seed);
      expectLanesInOrder(before, commands, seed);
      expect(await viewsOf(server, token, commits.at(-1)!.position)).to.deep.equal(
        await replayedViews(store, tenant),
        `seed ${seed}`,
      );
    });
  }

  it("had answers that were cut off by the blow, so that the keys were needed", () => {
    expect(inDoubt).to.be.above(0);
  });

  it("keeps all of it after one more restart", async () => {
    await server.child.kill("SIGTERM");
    server = await startServer(directory.path);
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const token = await madeToken(directory.path, `round${seed}`);
      const response = await fetch(`${server.url}/events?after=${COMMANDS - 1}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const { commits } = (await response.json()) as AnswerBody;
      expect(commits.length, `seed ${seed}`).to.equal(1);
    }
  });
});

const pick = ({ aggregateId, version, position, commitId, state }: AnswerBody) => ({
  aggregateId,
  version,
  position,
  commitId,
  state,
});

async function withClient(server: RunningServer, token: string, work: (client: LoadClient) => Promise<void>): Promise<void> {
  const client = new LoadClient(server.url, token, IN_FLIGHT);
  try {
    await work(client);
  } finally {
    client.close();
  }
}

async function allCommits(store: SqliteEventStore, tenant: string): Promise<readonly PositionedCommit[]> {
  const all: PositionedCommit[] = [];
  for (let after = 0; ; ) {
    const { commits, next } = await store.read(tenant, after, 1_000);
    all.push(...commits);
    if (commits.length === 0) return all;
    after = next;
  }
}

/** Every command once, positions strictly increasing, versions without a hole, sums right. */
function expectComplete(commits: readonly PositionedCommit[], commands: readonly SentCommand[], seed: number): void {
  const keys = commits.map(({ receipt }) => receipt?.commandId);
  expect([...keys].sort(), `seed ${seed}`).to.deep.equal(commands.map(({ key }) => key).sort());
  const data = new Map(commands.map((command) => [command.key, command.data]));
  const versions = new Map<string, number>();
  let position = 0;
  for (const commit of commits) {
    expect(commit.position, `seed ${seed}`).to.equal(position + 1);
    position = commit.position;
    expect(commit.version, `seed ${seed}`).to.equal((versions.get(commit.id) ?? -1) + 1);
    versions.set(commit.id, commit.version);
    const { aggregateId, ...payload } = data.get(commit.receipt!.commandId)!;
    expect(commit.id, `seed ${seed}`).to.equal(aggregateId);
    expect(commit.events, `seed ${seed}`).to.deep.equal([{ name: "NumbersAdded", payload, schemaVersion: 0 }]);
  }
}

/** What the client was told is what is stored. */
function expectAcknowledged(
  commits: readonly PositionedCommit[],
  acknowledged: ReadonlyMap<string, Acknowledgement>,
  seed: number,
): void {
  const sums = new Map<string, number>();
  for (const { id, version, position, commitId, receipt, events } of commits) {
    const { number1, number2 } = events[0]!.payload as { number1: number; number2: number };
    const sum = (sums.get(id) ?? 0) + number1 + number2;
    sums.set(id, sum);
    const told = acknowledged.get(receipt!.commandId)!;
    expect(pick(told), `seed ${seed}`).to.deep.equal({ aggregateId: id, version, position, commitId, state: { sum } });
  }
}

/** A client that waits for each answer sees its commands in the order in which it sent them. */
function expectLanesInOrder(
  acknowledged: ReadonlyMap<string, Acknowledgement>,
  commands: readonly SentCommand[],
  seed: number,
): void {
  const last = new Map<number, number>();
  for (const { key } of commands) {
    const told = acknowledged.get(key);
    if (told === undefined) continue;
    expect(told.position, `seed ${seed}`).to.be.above(last.get(told.lane) ?? 0);
    last.set(told.lane, told.position);
  }
}

/** The views at a position; asks again as a client would, since a killed reader's lease has to end first. */
async function viewsOf(server: RunningServer, token: string, position: number): Promise<AnswerBody["views"]> {
  for (;;) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${server.url}/views/totals?limit=1000&position=${position}`, { headers });
    const { views, code } = (await response.json()) as AnswerBody;
    if (response.status === 200) return views;
    expect(code).to.equal("behind");
  }
}

/** The views that a fresh reader makes of the tenant's log in another store. */
async function replayedViews(store: SqliteEventStore, tenant: string): Promise<unknown> {
  const memory = new MemoryEventStore();
  await memory.import(tenant, store.export(tenant));
  const reader = new StreamReader(memory);
  while ((await reader.poll(tenant, "replay", [new Totals()], { limit: 1_000 })).more);
  const { views } = await reader.views(tenant, { collection: "totals" }).list({ limit: 1_000 });
  return views;
}
